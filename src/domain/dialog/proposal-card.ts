import type { Choice, Proposal, ShownTally } from '../../contracts/proposal.js';
import type { RichText } from '../../contracts/rich-text.js';
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
  /** Absent: it is nobody's business here. */
  own?: OwnBallot;
}

/** A moment as people write it, at UTC. */
export const moment = (at: Date, { locale }: Phrases): string =>
  `${new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(at)} UTC`;

const figure = (value: number, { locale }: Phrases): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);

/** A proposal with how the vote stands, as far as it may be told. */
export function proposalCard({ proposal, tally, own }: ShownProposal, phrases: Phrases): RichText {
  const { n, title, text, stage, closes_at: closesAt } = proposal;
  const isOpen = stage === 'open';
  const standing = [
    isOpen && closesAt ? phrases.closesAt(moment(closesAt, phrases)) : undefined,
    ...(tally ? tallyLines(tally, phrases) : []),
    isOpen && own !== undefined ? bold(ownWords(own, phrases)) : undefined,
  ];
  return lines(
    [
      rich(bold(phrases.proposalTitle(n, title)), '\n', italic(phrases.stages[stage])),
      cut(text, MOST_TEXT),
      standing.some((line) => line !== undefined) ? lines(standing) : undefined,
    ],
    '\n\n',
  );
}

function tallyLines(tally: ShownTally, phrases: Phrases): Piece[] {
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
