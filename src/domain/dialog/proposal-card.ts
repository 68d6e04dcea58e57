import type { ReplyContent } from '../../contracts/dialog.js';
import { CHOICES, type Choice, type Proposal, type ShownTally } from '../../contracts/proposal.js';
import { button } from './buttons.js';
import { figure, moment } from './figures.js';
import type { Phrases } from './phrase-book.js';
import { bold, cut, italic, lines, rich, type Piece } from './rich.js';

/** Most characters of a proposal's text that a message shows. */
const MOST_TEXT = 1_500;

/** How somebody voted; `sealed`: that is not told yet. */
export type OwnBallot = Choice | 'sealed' | 'none';

/** A proposal as a message shows it. */
export interface ShownProposal {
  proposal: Pick<Proposal, 'n' | 'title' | 'text' | 'stage' | 'closes_at'>;
  /** Null: voting has not begun. */
  tally: ShownTally | null;
  /** What its buttons carry in place of the DAO's id. */
  tag: string;
  /** Absent: it is nobody's business here. */
  own?: OwnBallot | undefined;
  /** Where whoever reads it lives; absent: there may be many of them. */
  timeZone?: string | undefined;
  /** Why it is shown, while voting goes on. */
  head?: string | undefined;
}

/** A proposal with how the vote stands, as far as it may be told, and with buttons to vote while it is open. */
export function proposalCard(
  { proposal, tally, tag, own, timeZone, head }: ShownProposal,
  phrases: Phrases,
): ReplyContent {
  const { n, title, text, stage, closes_at: closesAt } = proposal;
  const isOpen = stage === 'open';
  const standing = [
    isOpen && closesAt ? phrases.closesAt(moment(closesAt, phrases, timeZone)) : undefined,
    ...(tally ? tallyLines(tally, phrases) : []),
    isOpen && own !== undefined ? bold(ownWords(own, phrases)) : undefined,
  ];
  const body = lines(
    [
      isOpen ? head : undefined,
      rich(bold(phrases.proposalTitle(n, title)), '\n', italic(phrases.stages[stage])),
      cut(text, MOST_TEXT),
      standing.some((line) => line !== undefined) ? lines(standing) : undefined,
    ],
    '\n\n',
  );
  const buttons = CHOICES.map((choice) => button(phrases.choices[choice], { what: 'vote', n, tag, choice }));
  return { body, buttons: isOpen ? [buttons] : [] };
}

/** How people voted, as far as it may be told. */
export function tallyLines(tally: ShownTally, phrases: Phrases): Piece[] {
  const { yes, no, abstain, voters, participated, total, quorum_met: enough } = tally;
  const told = yes !== undefined && no !== undefined && abstain !== undefined;
  const sums = told
    ? phrases.tally(figure(yes, phrases), figure(no, phrases), figure(abstain, phrases))
    : phrases.tallySealed;
  const part = phrases.tookPart(voters, figure(participated, phrases), figure(total, phrases));
  return [sums, `${part}; ${enough ? phrases.quorumMet : phrases.quorumNotMet}`];
}

function ownWords(own: OwnBallot, { ownNone, ownSealed, ownBallot, choices }: Phrases): string {
  if (own === 'none') return ownNone;
  return own === 'sealed' ? ownSealed : ownBallot(choices[own]);
}
