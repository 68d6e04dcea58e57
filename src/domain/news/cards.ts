import type { ReplyContent } from '../../contracts/dialog.js';
import type { GateKind, GateState } from '../../contracts/crew.js';
import { CHOICES, type Proposal, type ShownTally } from '../../contracts/proposal.js';
import type { RichText } from '../../contracts/rich-text.js';
import { button } from '../dialog/buttons.js';
import { readPress } from '../dialog/presses.js';
import { bold, cut, italic, lines, type Piece } from '../dialog/rich.js';
import { shownWords } from '../dialog/shown-words.js';
import type { Decision, NewsPhrases } from './phrase-book.js';

/** Most characters of a proposal's text that a message shows. */
const MOST_TEXT = 1_500;

const DECISIONS: Readonly<Record<GateKind, readonly Decision[]>> = {
  approval: ['approve', 'reject', 'return'],
  question: ['answer'],
  limit: ['continue', 'stop'],
};

/** What is asked of people. */
export interface GateCard {
  kind: GateKind;
  state: GateState;
  ask: string;
  shown: Record<string, unknown>;
  expiresAt: Date;
  crew: string;
  decisions: readonly { name: string | null; decision: Decision }[];
  isReminder: boolean;
  /** What its buttons carry in place of its ids. */
  tag: string;
}

/** A moment as people write it, at UTC. */
const moment = (at: Date, { locale }: NewsPhrases): string =>
  `${new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(at)} UTC`;

const figure = (value: number, { locale }: NewsPhrases): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);

export const crewName = (crew: string, { crews }: NewsPhrases): string => crews[crew] ?? crew;

const paragraphs = (...parts: readonly (Piece | undefined)[]): RichText => lines(parts, '\n\n');

/** What is asked of somebody, with what may be decided; once it was decided, by whom and what. */
export function gateCard(gate: GateCard, phrases: NewsPhrases): ReplyContent {
  const { kind, state, ask, shown, expiresAt, isReminder } = gate;
  const crew = crewName(gate.crew, phrases);
  const isOpen = state === 'open';
  const made = gate.decisions.map(({ name, decision }) =>
    phrases.decidedBy(name ?? phrases.aMember, phrases.decisions[decision]),
  );
  // What people decided says enough, where it ended by that.
  const isTold = isOpen || (made.length > 0 && state !== 'expired' && state !== 'closed');
  const body = paragraphs(
    bold(isReminder ? phrases.reminded(crew) : phrases.asked[kind](crew)),
    ask,
    shownWords(shown),
    lines([
      ...made.map((line) => bold(line)),
      isOpen ? italic(phrases.until(moment(expiresAt, phrases))) : undefined,
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

/** A proposal as it stands. */
export interface ProposalCard {
  proposal: Pick<Proposal, 'n' | 'title' | 'text' | 'stage' | 'closes_at' | 'execute_at' | 'veto_reason' | 'failure'>;
  tally: ShownTally | null;
  /** What its buttons carry in place of the DAO's id. */
  tag: string;
}

const titleOf = ({ n, title }: ProposalCard['proposal']): RichText => bold(`#${n} ${title}`);

function tallyLines(tally: ShownTally, phrases: NewsPhrases): string[] {
  const { yes, no, abstain, voters, participated, total, quorum_met: enough } = tally;
  const sums =
    yes === undefined || no === undefined || abstain === undefined
      ? phrases.sealed
      : phrases.tally(figure(yes, phrases), figure(no, phrases), figure(abstain, phrases));
  const part = phrases.part(voters, figure(participated, phrases), figure(total, phrases));
  return [sums, `${part}; ${enough ? phrases.quorumMet : phrases.quorumMissing}`];
}

/**
 * A proposal that is voted on, with how the vote stands and buttons to vote; after the close, with how it ended.
 * @param head why it is shown, while voting goes on
 */
export function openProposalCard(
  { proposal, tally, tag }: ProposalCard,
  head: string | undefined,
  phrases: NewsPhrases,
): ReplyContent {
  const { n, text, stage, closes_at: closesAt } = proposal;
  const isOpen = stage === 'open';
  const body = paragraphs(
    isOpen ? head : undefined,
    titleOf(proposal),
    cut(text, MOST_TEXT),
    lines([
      isOpen ? undefined : bold(outcomeOf(proposal, phrases)),
      isOpen && closesAt ? phrases.closes(moment(closesAt, phrases)) : undefined,
      ...(tally ? tallyLines(tally, phrases) : []),
    ]),
  );
  const buttons = CHOICES.map((choice) => button(phrases.choices[choice], { what: 'vote', n, tag, choice }));
  return { body, buttons: isOpen ? [buttons] : [] };
}

/** How a vote ended, with what follows. */
export function closedProposalCard({ proposal, tally }: ProposalCard, phrases: NewsPhrases): ReplyContent {
  const { stage, execute_at: executeAt } = proposal;
  const body = paragraphs(
    lines([titleOf(proposal), bold(outcomeOf(proposal, phrases))]),
    tally ? lines(tallyLines(tally, phrases)) : undefined,
    stage === 'passed' && executeAt ? phrases.executes(moment(executeAt, phrases)) : undefined,
  );
  return { body, buttons: [] };
}

/** That what had passed is not carried out, and why. */
export function stoppedProposalCard({ proposal }: ProposalCard, phrases: NewsPhrases): ReplyContent {
  const { stage, veto_reason: why, failure } = proposal;
  const reason = stage === 'vetoed' ? why : failure?.reason;
  const body = paragraphs(
    stage === 'vetoed' ? phrases.vetoed : phrases.failed,
    titleOf(proposal),
    reason ? phrases.reason(reason) : undefined,
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
