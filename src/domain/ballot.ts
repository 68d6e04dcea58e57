import type { LinkedBy } from '../contracts/dao.js';
import type { Ballot, Choice, ShownBallot } from '../contracts/proposal.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { admitsBallots, type Standing } from './proposal-stage.js';

type Digest = (text: string) => string;

/** What a commitment binds: one choice of one voter on one proposal, and in which place among the voter's ballots. */
export interface Committed {
  daoId: string;
  n: number;
  voter: string;
  revision: number;
  choice: Choice;
  /** Random, so that the three choices cannot be tried. */
  salt: string;
}

/** The commitment of a sealed ballot. Whoever knows choice and salt can make it again. */
export const commitmentOf = (sha256: Digest, { daoId, n, voter, revision, choice, salt }: Committed): string =>
  sha256(JSON.stringify(['dagi ballot', daoId, n, voter, revision, choice, salt]));

/** One hash over every ballot with its salt, in the order of voters and revisions: what the close publishes. */
export function digestOfBallots(sha256: Digest, ballots: readonly Ballot[]): string {
  const lines = ballots
    .toSorted((a, b) => (a.voter === b.voter ? a.revision - b.revision : a.voter < b.voter ? -1 : 1))
    .map(({ voter, revision, choice, salt }) => JSON.stringify([voter, revision, choice, salt]));
  return sha256(lines.join('\n'));
}

/** The ballots that count: the last one of each voter. */
export function lastChoices(ballots: readonly Ballot[]): Map<string, Choice> {
  const last = new Map<string, Ballot>();
  for (const ballot of ballots) {
    if ((last.get(ballot.voter)?.revision ?? 0) < ballot.revision) last.set(ballot.voter, ballot);
  }
  return new Map([...last].map(([voter, { choice }]) => [voter, choice]));
}

/** Most ballots of one voter on one proposal: every one is kept, and counted at the close. */
const MOST_REVISIONS = 50;

/** How long an id that an admin linked decides nothing: so long its member has to notice. */
const NOTICE_MS = 7 * 86_400_000;

/** An id of a member. */
interface Link {
  /** Since when it is the member's. */
  linkedAt: Date;
  linkedBy: LinkedBy;
}

/** Whether an id could decide something for its member at a moment. */
export const isSettled = ({ linkedAt, linkedBy }: Link, at: Date): boolean =>
  linkedAt.getTime() + (linkedBy === 'admin' ? NOTICE_MS : 0) <= at.getTime();

/** Somebody who casts a ballot, under an id. */
export interface Voter extends Link {
  /** Whether the snapshot of the opening has the member. */
  isElector: boolean;
  /** How many ballots the member has cast on the proposal. */
  revisions: number;
}

/** Why a ballot is not admitted; undefined: it is. */
export function ballotRefusal(
  standing: Standing & { openedAt: Date | null },
  { isElector, revisions, ...link }: Voter,
  now: Date,
): ErrorCode | undefined {
  const { stage, openedAt } = standing;
  if (stage === 'draft' || stage === 'withdrawn' || openedAt === null) return 'VOTING_NOT_OPEN';
  if (!admitsBallots(standing, now)) return 'VOTING_CLOSED';
  if (!isElector) return 'NOT_IN_ELECTORATE';
  // Else whoever may link ids could vote for members who never come.
  if (!isSettled(link, openedAt)) return 'IDENTITY_TOO_NEW';
  return revisions >= MOST_REVISIONS ? 'BALLOT_LIMIT' : undefined;
}

/** A ballot without what nobody may know yet. */
export function shownBallot({ choice, salt, ...rest }: Ballot, hidden: boolean): ShownBallot {
  return hidden ? rest : { ...rest, choice, salt };
}
