import type { ReplyContent } from '../../contracts/dialog.js';
import type { GateKind, GateState } from '../../contracts/crew.js';
import type { Proposal, ShownTally } from '../../contracts/proposal.js';
import type { RichText } from '../../contracts/rich-text.js';
import { button } from '../dialog/buttons.js';
import { moment } from '../dialog/figures.js';
import type { Phrases } from '../dialog/phrase-book.js';
import { readPress } from '../dialog/presses.js';
import { tallyLines } from '../dialog/proposal-card.js';
import { bold, italic, lines, type Piece } from '../dialog/rich.js';
import { gateWords, type AskedWords } from './gate-words.js';
import type { Decision, NewsPhrases } from './phrase-book.js';

const DECISIONS: Readonly<Record<GateKind, readonly Decision[]>> = {
  approval: ['approve', 'reject', 'return'],
  question: ['answer'],
  limit: ['continue', 'stop'],
};

/** What is asked of people. */
export interface GateCard extends AskedWords {
  kind: GateKind;
  state: GateState;
  expiresAt: Date;
  crew: string;
  decisions: readonly { name: string | null; decision: Decision }[];
  isReminder: boolean;
  /** What its buttons carry in place of its ids. */
  tag: string;
  /** Where whoever reads it lives; absent: nobody knows. */
  timeZone?: string | undefined;
}

export const crewName = (crew: string, { crews }: NewsPhrases): string => crews[crew] ?? crew;

const paragraphs = (...parts: readonly (Piece | undefined)[]): RichText => lines(parts, '\n\n');

/** What is asked of somebody, with what may be decided; once it was decided, by whom and what. */
export function gateCard(gate: GateCard, phrases: NewsPhrases): ReplyContent {
  const { kind, state, expiresAt, isReminder, timeZone } = gate;
  const crew = crewName(gate.crew, phrases);
  const isOpen = state === 'open';
  const made = gate.decisions.map(({ name, decision }) =>
    phrases.decidedBy(name ?? phrases.aMember, phrases.decisions[decision]),
  );
  // What people decided says enough, where it ended by that.
  const isTold = isOpen || (made.length > 0 && state !== 'expired' && state !== 'closed');
  const body = paragraphs(
    bold(isReminder ? phrases.reminded(crew) : phrases.asked[kind](crew)),
    ...gateWords(gate, phrases),
    lines([
      ...made.map((line) => bold(line)),
      isOpen ? italic(phrases.until(moment(expiresAt, phrases, timeZone))) : undefined,
      isTold ? undefined : italic(phrases.states[state]),
    ]),
  );
  const buttons = DECISIONS[kind].map((act) => button(phrases.buttons[act], { what: 'gate', tag: gate.tag, act }));
  return { body, buttons: isOpen ? [buttons] : [] };
}

/** That something is to be decided, for a group: neither what it is about nor whom it names is anything to show there. */
export const groupGateCard = (
  { state, crew }: Pick<GateCard, 'state' | 'crew'>,
  phrases: NewsPhrases,
): ReplyContent => ({
  body: lines([
    phrases.askedInGroup(crewName(crew, phrases)),
    state === 'open' ? undefined : bold(phrases.states[state]),
  ]),
  buttons: [],
});

/** How a vote ended, or what became of what was accepted. */
export interface EndedProposal {
  proposal: Pick<Proposal, 'n' | 'title' | 'stage' | 'execute_at' | 'veto_reason' | 'failure'>;
  tally: ShownTally | null;
  /** Where whoever reads it lives; absent: nobody knows. */
  timeZone?: string | undefined;
}

/** What news says, and what is said of proposals everywhere. */
export interface NewsBooks {
  news: NewsPhrases;
  dialog: Phrases;
}

/** How a vote ended, with what follows. */
export function closedProposalCard(
  { proposal, tally, timeZone }: EndedProposal,
  { news, dialog }: NewsBooks,
): ReplyContent {
  const { n, title, stage, execute_at: executeAt } = proposal;
  const body = paragraphs(
    lines([bold(dialog.proposalTitle(n, title)), bold(outcomeOf(proposal, news))]),
    tally ? lines(tallyLines(tally, dialog)) : undefined,
    stage === 'passed' && executeAt ? news.executes(moment(executeAt, news, timeZone)) : undefined,
  );
  return { body, buttons: [] };
}

/** That what had passed is not carried out, and why. */
export function stoppedProposalCard({ proposal }: EndedProposal, { news, dialog }: NewsBooks): ReplyContent {
  const { n, title, stage, veto_reason: why, failure } = proposal;
  const reason = stage === 'vetoed' ? why : failure?.reason;
  const body = paragraphs(
    stage === 'vetoed' ? news.vetoed : news.failed,
    bold(dialog.proposalTitle(n, title)),
    reason ? news.reason(reason) : undefined,
  );
  return { body, buttons: [] };
}

/** The proposal for which a message has buttons to vote; undefined: it has none. */
export function votedOn({ buttons }: ReplyContent): number | undefined {
  for (const { press } of buttons.flat()) {
    const read = readPress(press);
    if (read?.what === 'vote') return read.n;
  }
  return undefined;
}

function outcomeOf({ stage }: Pick<Proposal, 'stage'>, { outcomes }: NewsPhrases): string {
  if (stage === 'rejected' || stage === 'expired' || stage === 'withdrawn') return outcomes[stage];
  // What was executed, vetoed or failed had passed.
  return outcomes.passed;
}
