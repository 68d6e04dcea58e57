import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { STAGES, type Ballot, type Stage } from '../contracts/proposal.js';
import {
  ballotRefusal,
  commitmentOf,
  digestOfBallots,
  lastChoices,
  shownBallot,
  type Committed,
  type Voter,
} from './ballot.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const AT = new Date('2026-11-28T12:00:00.000Z');
const after = (ms: number): Date => new Date(AT.getTime() + ms);

const ballot = (changes: Partial<Ballot> = {}): Ballot => ({
  ...{ voter: 'p_1', revision: 1, choice: 'yes', salt: 's', commitment: 'c', cast_at: AT },
  ...changes,
});

describe(commitmentOf.name, () => {
  const committed: Committed = { daoId: 'd', n: 1, voter: 'p_1', revision: 1, choice: 'yes', salt: 's' };

  it('should change with everything that it binds', () => {
    const others: Partial<Committed>[] = [
      ...[{ daoId: 'e' }, { n: 2 }, { voter: 'p_2' }, { revision: 2 }, { choice: 'no' as const }, { salt: 't' }],
      // What is written one after the other must not be cut elsewhere.
      { n: 11, daoId: 'd' },
    ];
    const all = [{}, ...others].map((change) => commitmentOf(sha256, { ...committed, ...change }));
    expect(new Set(all).size).toBe(all.length);
    expect(commitmentOf(sha256, { ...committed })).toBe(all[0]);
  });
});

describe(digestOfBallots.name, () => {
  it('should not depend on the order in which ballots are read, and on everything else', () => {
    const ballots = [
      ballot(),
      ballot({ revision: 10, choice: 'no' }),
      ballot({ revision: 2 }),
      ballot({ voter: 'p_0' }),
    ];
    const digest = digestOfBallots(sha256, ballots);
    expect(digestOfBallots(sha256, ballots.toReversed())).toBe(digest);
    for (const [at] of ballots.entries()) {
      expect(digestOfBallots(sha256, ballots.toSpliced(at, 1))).not.toBe(digest);
      expect(digestOfBallots(sha256, ballots.with(at, ballot({ ...ballots[at], salt: 'other' })))).not.toBe(digest);
    }
  });
});

describe(lastChoices.name, () => {
  it('should take the last ballot of each voter, in whatever order they come', () => {
    const ballots = [ballot({ revision: 2, choice: 'no' }), ballot(), ballot({ voter: 'p_2', choice: 'abstain' })];
    expect(lastChoices(ballots)).toEqual(
      new Map([
        ['p_1', 'no'],
        ['p_2', 'abstain'],
      ]),
    );
  });
});

describe(ballotRefusal.name, () => {
  const standing = (stage: Stage) => ({ stage, openedAt: AT, closesAt: after(1_000), executeAt: null });
  const voter: Voter = { isElector: true, linkedAt: AT, linkedBy: 'join', revisions: 0 };

  it('should admit an elector while voting is open, and nobody else', () => {
    expect(ballotRefusal(standing('open'), voter, after(999))).toBeUndefined();
    expect(ballotRefusal(standing('open'), voter, after(1_000))).toBe('VOTING_CLOSED');
    expect(ballotRefusal(standing('open'), { ...voter, isElector: false }, after(999))).toBe('NOT_IN_ELECTORATE');
    expect(ballotRefusal(standing('open'), { ...voter, linkedAt: after(1) }, after(999))).toBe('IDENTITY_TOO_NEW');
  });

  it('should admit an id that an admin linked only where the opening was a week later', () => {
    const week = 7 * 86_400_000;
    const linked = (linkedBy: Voter['linkedBy'], ms: number) =>
      ballotRefusal(standing('open'), { ...voter, linkedBy, linkedAt: after(-ms) }, AT);
    expect([linked('admin', 0), linked('admin', week - 1)]).toEqual(['IDENTITY_TOO_NEW', 'IDENTITY_TOO_NEW']);
    expect([linked('admin', week), linked('code', 0), linked('join', 0)]).toEqual([undefined, undefined, undefined]);
  });

  it('should admit fifty ballots of a voter', () => {
    expect(ballotRefusal(standing('open'), { ...voter, revisions: 49 }, AT)).toBeUndefined();
    expect(ballotRefusal(standing('open'), { ...voter, revisions: 50 }, AT)).toBe('BALLOT_LIMIT');
  });

  it('should tell a vote that has not opened from one that has closed', () => {
    const codes = STAGES.map((stage) => [stage, ballotRefusal(standing(stage), voter, AT)]);
    expect(Object.fromEntries(codes)).toEqual({
      ...{ draft: 'VOTING_NOT_OPEN', open: undefined, withdrawn: 'VOTING_NOT_OPEN' },
      ...Object.fromEntries(
        ['passed', 'rejected', 'expired', 'executed', 'vetoed', 'failed'].map((one) => [one, 'VOTING_CLOSED']),
      ),
    });
  });
});

describe(shownBallot.name, () => {
  it('should hide what a sealed ballot says', () => {
    expect(shownBallot(ballot(), true)).toEqual({ voter: 'p_1', revision: 1, commitment: 'c', cast_at: AT });
    expect(shownBallot(ballot(), false)).toEqual(ballot());
  });
});
