import type { Language, ReplyContent } from '../../contracts/dialog.js';
import type { Delivery, News } from '../../contracts/news.js';
import { plainText } from '../../contracts/rich-text.js';
import type { NewsViewsRepository, ToldRun } from '../../adapters/store/news-views.repository.js';
import type { ProposalsRepository } from '../../adapters/store/proposals.repository.js';
import type { VotesRepository } from '../../adapters/store/votes.repository.js';
import { lastChoices } from '../../domain/ballot.js';
import { crewMarkdown } from '../../domain/crew/result-markdown.js';
import { bold, lines } from '../../domain/dialog/rich.js';
import {
  closedProposalCard,
  crewName,
  gateCard,
  groupGateCard,
  openProposalCard,
  stoppedProposalCard,
  type ProposalCard,
} from '../../domain/news/cards.js';
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
        return this.proposal(news, delivery, phrases);
    }
  }

  private async gate(
    { kind, daoId, data }: Of<'gate_asked' | 'gate_reminded' | 'gate_expired'>,
    { isAnew, place }: Delivery,
    phrases: NewsPhrases,
  ): Promise<ReplyContent | undefined> {
    const gate = await this.parts.views.gate(daoId, data.run, data.gate);
    if (!gate) return undefined;
    if (kind === 'gate_expired') {
      return { body: lines([bold(phrases.expired(crewName(gate.crew, phrases))), gate.ask]), buttons: [] };
    }
    if (gate.state !== 'open' && !isAnew) return undefined;
    if (place.kind === 'group') return groupGateCard(gate, phrases);
    const tag = gateTag(data.run, data.gate, gate.revision);
    return gateCard({ ...gate, tag, isReminder: kind === 'gate_reminded' }, phrases);
  }

  private async run({ daoId, data }: Of<'run_ended'>, phrases: NewsPhrases): Promise<ReplyContent | undefined> {
    const run = await this.parts.views.run(daoId, data.run);
    return run && { body: runWords(run, phrases), buttons: [] };
  }

  private async proposal(
    { kind, daoId, data: { n } }: Extract<News, { data: { n: number } }>,
    { isAnew, isAnswer }: Delivery,
    phrases: NewsPhrases,
  ): Promise<ReplyContent | undefined> {
    const card = await this.card(daoId, n);
    if (!card) return undefined;
    if (kind === 'proposal_closed') return closedProposalCard(card, phrases);
    if (kind === 'proposal_vetoed' || kind === 'proposal_failed') return stoppedProposalCard(card, phrases);
    if (card.proposal.stage !== 'open' && !isAnew) return undefined;
    const head = kind === 'proposal_reminder' ? phrases.closesSoon : phrases.opened;
    return openProposalCard(card, isAnswer ? undefined : head, phrases);
  }

  private async card(daoId: string, n: number): Promise<ProposalCard | undefined> {
    const proposal = await this.parts.proposals.find(daoId, n);
    if (!proposal) return undefined;
    const { rules, result } = proposal;
    const tag = tagOf(daoId);
    if (!rules) return { proposal, tally: null, tag };
    if (result) return { proposal, tally: shownTally(result, { sealed: rules.sealed, final: true }), tag };
    const { electors, ballots } = await this.parts.votes.counted(daoId, n);
    const counted = tally(electors, lastChoices(ballots), rules);
    return { proposal, tally: shownTally(counted, { sealed: rules.sealed, final: false }), tag };
  }
}

function runWords({ crew, status, result, error }: ToldRun, phrases: NewsPhrases): ReplyContent['body'] {
  const name = crewName(crew, phrases);
  if (status === 'cancelled') return plainText(phrases.runStopped(name));
  if (status === 'failed') {
    const reason = typeof error?.reason === 'string' && error.reason !== '' ? error.reason : error?.message;
    return plainText(phrases.runFailed(name, reason ?? ''));
  }
  return lines([bold(phrases.runEnded(name)), result ? richOf(crewMarkdown(result)) : undefined], '\n\n');
}
