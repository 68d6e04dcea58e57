import type { ReplyContent } from '../../../contracts/dialog.js';
import type { Button } from '../../../contracts/messenger.js';
import type { Proposal, ProposalSummary } from '../../../contracts/proposal.js';
import { storable } from '../../../contracts/text.js';
import type { PendingRepository } from '../../../adapters/store/pending.repository.js';
import { button } from '../../../domain/dialog/buttons.js';
import type { Phrases } from '../../../domain/dialog/phrases.js';
import { bold, cut, lines } from '../../../domain/dialog/rich.js';
import type { ProposalsService } from '../../proposals.service.js';
import { BOTS_KEY } from '../turn.js';
import { namedBy, numberIn, paragraphs, question, rows, said, type Asked, type Handlers } from './asked.js';
import { numberButtons, type ProposalCards } from './proposal-cards.js';

/** As the API takes them, in characters. */
const LONGEST_TITLE = 200;
const LONGEST_TEXT = 50_000;
/** Most proposals that a message lists. */
const MOST_LISTED = 10;
const LONGEST_LABEL = 40;

export interface ProposalCommandsParts {
  proposals: Pick<ProposalsService, 'list' | 'get' | 'create'>;
  cards: Pick<ProposalCards, 'show'>;
  pending: Pick<PendingRepository, 'ask'>;
}

export const dropButton = ({ dropButton: label }: Phrases): Button => button(label, { what: 'drop' });

/** Proposals in chats: listed, looked at, drafted. */
export class ProposalCommands {
  readonly handlers: Handlers = {
    proposals: (asked) => this.list(asked),
    vote: (asked) => this.vote(asked),
    propose: (asked) => this.propose(asked),
  };

  constructor(private readonly parts: ProposalCommandsParts) {}

  /** Takes the title of a proposal that somebody was asked for, or all of it. */
  async propose(asked: Asked): Promise<ReplyContent> {
    const { turn, phrases } = asked;
    const [first = '', ...rest] = storable(asked.args).trim().split('\n');
    const [title, text] = [first.trim(), rest.join('\n').trim()];
    if (title === '') return this.ask(asked, phrases.askTitle, { kind: 'title' });
    if (title.length > LONGEST_TITLE) {
      return this.ask(asked, phrases.titleTooLong(LONGEST_TITLE), { kind: 'title' });
    }
    if (text !== '') return this.draft(asked, title, text);
    await this.parts.pending.ask(turn.update, turn.daoId, { kind: 'text', title });
    return said(question(phrases.askText(title), turn.update, phrases), [[dropButton(phrases)]]);
  }

  /** Drafts a proposal of whoever asks. */
  async draft(asked: Asked, title: string, written: string): Promise<ReplyContent> {
    const { turn, phrases } = asked;
    const text = storable(written).trim();
    if (text.length > LONGEST_TEXT) {
      return this.ask(asked, phrases.textTooLong(LONGEST_TEXT), { kind: 'text', title });
    }
    const draft = { title, text, actions: [], open: false };
    const made =
      (await this.draftedBefore(asked, title, text)) ??
      (await this.parts.proposals.create(BOTS_KEY, namedBy(turn), draft));
    const card = await this.parts.cards.show(asked, made.n);
    return { ...paragraphs([phrases.draftNext, card.body]), buttons: card.buttons };
  }

  /** Asks which proposal a command is meant for; where there is but one, that is known. */
  async which(
    asked: Asked,
    command: 'vote' | 'review',
    proposals: readonly ProposalSummary[],
  ): Promise<{ n: number } | { reply: ReplyContent }> {
    const { turn, phrases } = asked;
    const [only, another] = proposals;
    if (!only) return { reply: said(phrases.whichNone) };
    if (!another) return { n: only.n };
    await this.parts.pending.ask(turn.update, turn.daoId, { kind: 'which', command });
    const label = ({ n, title }: Pick<Proposal, 'n' | 'title'>): string =>
      cut(phrases.proposalTitle(n, title), LONGEST_LABEL);
    const buttons = numberButtons(turn.daoId, command, proposals, label);
    return { reply: said(phrases.which(command), [...rows(buttons, 1), [dropButton(phrases)]]) };
  }

  /** Proposals that whoever asks may mean: those of a stage, the newest first. */
  async ofStage({ turn }: Asked, ...stages: readonly Proposal['stage'][]): Promise<ProposalSummary[]> {
    const found: ProposalSummary[] = [];
    for (const stage of stages) {
      const { items } = await this.parts.proposals.list(BOTS_KEY, namedBy(turn), { limit: MOST_LISTED, stage });
      found.push(...items);
    }
    return found.toSorted((a, b) => b.n - a.n).slice(0, MOST_LISTED);
  }

  private async list({ turn, phrases }: Asked): Promise<ReplyContent> {
    const { items } = await this.parts.proposals.list(BOTS_KEY, namedBy(turn), { limit: MOST_LISTED });
    if (items.length === 0) return said(phrases.proposalsNone);
    const listed = items.map(({ n, title, stage }) => `${phrases.proposalTitle(n, title)} — ${phrases.stages[stage]}`);
    const buttons = numberButtons(turn.daoId, 'vote', items, ({ n }) => phrases.showButton(n));
    return paragraphs([bold(phrases.proposalsTitle), lines(listed)], rows(buttons, 3));
  }

  private async vote(asked: Asked): Promise<ReplyContent> {
    const { args, phrases } = asked;
    const named = numberIn(args);
    if (named !== undefined) return this.parts.cards.show(asked, named);
    if (args !== '') return said(phrases.whichAgain);
    const found = await this.which(asked, 'vote', await this.ofStage(asked, 'open'));
    return 'n' in found ? this.parts.cards.show(asked, found.n) : found.reply;
  }

  private async ask(
    { turn, phrases }: Asked,
    words: string,
    asks: { kind: 'title' } | { kind: 'text'; title: string },
  ): Promise<ReplyContent> {
    await this.parts.pending.ask(turn.update, turn.daoId, asks);
    return said(question(words, turn.update, phrases), [[dropButton(phrases)]]);
  }

  /** The draft that was made of this message already, where it is taken up again. */
  private async draftedBefore(
    { turn, acting }: Asked,
    title: string,
    text: string,
  ): Promise<Pick<Proposal, 'n'> | undefined> {
    if (!turn.update.isAgain) return undefined;
    const { items } = await this.parts.proposals.list(BOTS_KEY, namedBy(turn), { limit: MOST_LISTED, stage: 'draft' });
    for (const one of items) {
      const isLate = one.created_at >= turn.update.receivedAt;
      if (one.author !== acting.facts.member || one.title !== title || !isLate) continue;
      const { proposal } = await this.parts.proposals.get(BOTS_KEY, namedBy(turn), one.n);
      if (proposal.text === text) return proposal;
    }
    return undefined;
  }
}
