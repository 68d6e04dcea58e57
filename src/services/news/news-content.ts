import type { Language, ReplyContent } from '../../contracts/dialog.js';
import type { Delivery, News } from '../../contracts/news.js';
import type { Proposal, ShownTally } from '../../contracts/proposal.js';
import { plainText } from '../../contracts/rich-text.js';
import type { NewsViewsRepository, ToldRun } from '../../adapters/store/news-views.repository.js';
import type { ProposalsRepository } from '../../adapters/store/proposals.repository.js';
import type { VotesRepository } from '../../adapters/store/votes.repository.js';
import { lastChoices } from '../../domain/ballot.js';
import { crewMarkdown } from '../../domain/crew/result-markdown.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import { proposalCard, type OwnBallot } from '../../domain/dialog/proposal-card.js';
import { bold, lines } from '../../domain/dialog/rich.js';
import {
  closedProposalCard,
  crewName,
  gateCard,
  groupGateCard,
  stoppedProposalCard,
  type NewsBooks,
} from '../../domain/news/cards.js';
import { gateWords } from '../../domain/news/gate-words.js';
import { newsPhrasesIn, type NewsPhrases } from '../../domain/news/phrases.js';
import { richOf } from '../../domain/rich-text/markdown.js';
import { shownTally, tally } from '../../domain/tally.js';
import { gateTag, tagOf } from '../dialogs/tags.js';

export interface NewsContentParts {
  views: NewsViewsRepository;
  proposals: Pick<ProposalsRepository, 'find'>;
  votes: Pick<VotesRepository, 'counted'>;
}

type Of<Kind extends News['kind']> = Extract<News, { kind: Kind }>;

/** What messages about news say, as things are at this moment. */
export class NewsContent {
  constructor(private readonly parts: NewsContentParts) {}

  /** @returns undefined: there is nothing to tell any more */
  async of(delivery: Delivery, language: Language): Promise<ReplyContent | undefined> {
    const { news } = delivery;
    const phrases = newsPhrasesIn(language);
    switch (news.kind) {
      case 'gate_asked':
      case 'gate_reminded':
      case 'gate_expired':
        return this.gate(news, delivery, phrases);
      case 'run_ended':
        return this.run(news, phrases);
      case 'role_given': {
        const { dao } = await this.parts.views.names(news.daoId, news.data.member);
        return { body: plainText(phrases.roleGiven(news.data.role, dao)), buttons: [] };
      }
      case 'invitation_redeemed': {
        const { member } = await this.parts.views.names(news.daoId, news.data.member);
        return {
          body: plainText(phrases.redeemed(member ?? phrases.aMember, news.data.roles.join(', '))),
          buttons: [],
        };
      }
      default:
        return this.proposal(news, delivery, { news: phrases, dialog: phrasesIn(language) });
    }
  }

  private async gate(
    { kind, daoId, data }: Of<'gate_asked' | 'gate_reminded' | 'gate_expired'>,
    { isAnew, place, reader }: Delivery,
    phrases: NewsPhrases,
  ): Promise<ReplyContent | undefined> {
    const gate = await this.parts.views.gate(daoId, data.run, data.gate);
    if (!gate) return undefined;
    if (kind === 'gate_expired') {
      const [question] = gateWords(gate, phrases);
      return { body: lines([bold(phrases.expired(crewName(gate.crew, phrases))), question]), buttons: [] };
    }
    if (gate.state !== 'open' && !isAnew) return undefined;
    if (place.kind === 'group') return groupGateCard(gate, phrases);
    const tag = gateTag(data.run, data.gate, gate.revision);
    return gateCard({ ...gate, tag, timeZone: reader?.timeZone, isReminder: kind === 'gate_reminded' }, phrases);
  }

  private async run({ daoId, data }: Of<'run_ended'>, phrases: NewsPhrases): Promise<ReplyContent | undefined> {
    const run = await this.parts.views.run(daoId, data.run);
    return run && { body: runWords(run, phrases), buttons: [] };
  }

  private async proposal(
    { kind, daoId, data: { n } }: Extract<News, { data: { n: number } }>,
    { isAnew, isAnswer, reader }: Delivery,
    books: NewsBooks,
  ): Promise<ReplyContent | undefined> {
    const proposal = await this.parts.proposals.find(daoId, n);
    if (!proposal) return undefined;
    const { tally: shown, own } = await this.standing(daoId, proposal, reader?.member);
    const card = { proposal, tally: shown, timeZone: reader?.timeZone };
    if (kind === 'proposal_closed') return closedProposalCard(card, books);
    if (kind === 'proposal_vetoed' || kind === 'proposal_failed') return stoppedProposalCard(card, books);
    if (proposal.stage !== 'open' && !isAnew) return undefined;
    const why = kind === 'proposal_reminder' ? books.news.closesSoon : books.news.opened;
    // Why it was shown is no news any more once it shows something else.
    const head = isAnswer || isAnew ? undefined : why;
    return proposalCard({ ...card, own, head, tag: tagOf(daoId) }, books.dialog);
  }

  /** How a vote stands, as far as it may be told, and how a reader voted. */
  private async standing(
    daoId: string,
    { n, rules, result }: Pick<Proposal, 'n' | 'rules' | 'result'>,
    reader: string | undefined,
  ): Promise<{ tally: ShownTally | null; own?: OwnBallot }> {
    if (!rules) return { tally: null };
    const { sealed } = rules;
    if (result) return { tally: shownTally(result, { sealed, final: true }) };
    const { electors, ballots } = await this.parts.votes.counted(daoId, n);
    const choices = lastChoices(ballots);
    const shown = shownTally(tally(electors, choices, rules), { sealed, final: false });
    if (reader === undefined) return { tally: shown };
    const choice = choices.get(reader);
    return { tally: shown, own: choice === undefined ? 'none' : sealed ? 'sealed' : choice };
  }
}

function runWords({ crew, status, result, error }: ToldRun, phrases: NewsPhrases): ReplyContent['body'] {
  const name = crewName(crew, phrases);
  if (status === 'cancelled') return plainText(phrases.runStopped(name));
  if (status === 'failed') {
    const reason = typeof error?.reason === 'string' && error.reason !== '' ? error.reason : error?.message;
    return plainText(phrases.runFailed(name, reason ?? ''));
  }
  return lines(
    [
      bold(phrases.runEnded(name)),
      result ? richOf(crewMarkdown({ result: inOrder(result.result, phrases) })) : undefined,
    ],
    '\n\n',
  );
}

/** A result with its parts as people call them, those first that are to be read first. */
function inOrder(result: Record<string, unknown>, { parts }: NewsPhrases): Record<string, unknown> {
  const known = Object.entries(parts).filter(([name]) => Object.hasOwn(result, name));
  const others = Object.entries(result).filter(([name]) => !Object.hasOwn(parts, name));
  const named = known.map(([name, words]): [string, unknown] => [words, result[name]]);
  return Object.fromEntries<unknown>([...named, ...others]);
}
