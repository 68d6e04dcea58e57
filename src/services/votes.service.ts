import { randomBytes } from 'node:crypto';
import type { CallerKey, Entitlement } from '../contracts/access.js';
import type { Ballot, Choice, Elector, Proposal, ShownBallot, ShownTally } from '../contracts/proposal.js';
import type { AuditRepository, Recorder } from '../adapters/store/audit.repository.js';
import { proposalNow, type ProposalNow } from '../adapters/store/proposals.repository.js';
import {
  findBallot,
  findVoter,
  insertBallot,
  type FoundVoter,
  type VotesRepository,
} from '../adapters/store/votes.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { ballotRefusal, commitmentOf, lastChoices, shownBallot } from '../domain/ballot.js';
import { partOf, type Page } from './pages.js';
import { shownTally, tally } from '../domain/tally.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { subjectOf, type ProposalsService } from './proposals.service.js';
import { sha256 } from '../adapters/digest.js';

const VOTE = 'proposal.vote' satisfies Entitlement;
/** Ballots and voters name members, and guests are not told who belongs. */
const SEE_MEMBERS = 'chat.write' satisfies Entitlement;

/** A ballot as it was accepted. The salt of a sealed one is told to nobody before the close. */
export type CastBallot = Omit<Ballot, 'salt'>;

/** What somebody votes. */
export interface VoteRequest {
  choice: Choice;
  /** What the client calls the ballot: sent again, it is answered again and counted once. */
  ballotId?: string | undefined;
}

/** A part of a list: how much, and behind which entry. */
interface PartOf {
  after?: string | undefined;
  limit: number;
}

/** Ballots: cast, shown, counted. */
export class VotesService {
  constructor(
    private readonly votes: VotesRepository,
    private readonly proposals: ProposalsService,
    private readonly access: AccessService,
    private readonly audit: AuditRepository,
  ) {}

  /**
   * Casts a ballot, in place of an earlier one of the same member. When this returns it counts, unless it is changed.
   * @throws AppError `VOTING_NOT_OPEN`, `VOTING_CLOSED`, `NOT_IN_ELECTORATE`, `IDENTITY_TOO_NEW`,
   *   `BALLOT_LIMIT`, `IDEMPOTENCY_CONFLICT`, `PROPOSAL_NOT_FOUND` and those of access; then it does not count
   */
  async cast(key: CallerKey, named: Named, n: number, vote: VoteRequest): Promise<CastBallot> {
    const acting = await this.voter(key, named);
    const { daoId } = acting;
    try {
      return await this.audit.recorded(acting, async (db, record) => {
        const found = await proposalNow(db, daoId, n);
        if (!found) throw new AppError('PROPOSAL_NOT_FOUND');
        return admit({ db, record, acting, ...found }, vote);
      });
    } catch (error) {
      const isStranger = error instanceof AppError && error.code === 'NOT_IN_ELECTORATE';
      // Who could not have voted at any time hears that, and the denial is on the record.
      if (isStranger && !mayVote(acting)) await this.access.require(key, named, VOTE);
      throw error;
    }
  }

  /** The last ballot of each voter, or all that were ever cast. While they are sealed, without what they say. */
  async ballots(
    key: CallerKey,
    named: Named,
    n: number,
    { after, limit, changed }: PartOf & { changed: boolean },
  ): Promise<Page<ShownBallot>> {
    const { daoId, proposal } = await this.proposals.get(key, named, n, SEE_MEMBERS);
    const rows = await this.votes.ballots(daoId, n, { after: placeOf(after), limit: limit + 1, changed });
    const { items, next } = partOf(rows, limit, ({ voter, revision }) => `${voter}:${revision}`);
    return { items: items.map((one) => shownBallot(one, isSealed(proposal))), next };
  }

  /** Who may vote, with what weight, and to whom they had delegated at the opening. */
  async electors(key: CallerKey, named: Named, n: number, { after = '', limit }: PartOf): Promise<Page<Elector>> {
    const { daoId } = await this.proposals.get(key, named, n, SEE_MEMBERS);
    const rows = await this.votes.electors(daoId, n, after, limit + 1);
    return partOf(rows, limit, ({ member }) => member);
  }

  /** The result, or how it stands; null before the opening. */
  async tally(key: CallerKey, named: Named, n: number): Promise<ShownTally | null> {
    const { daoId, proposal } = await this.proposals.get(key, named, n);
    const { rules, result } = proposal;
    if (!rules) return null;
    if (result) return shownTally(result, { sealed: rules.sealed, final: true });
    const { electors, ballots } = await this.votes.counted(daoId, n);
    return shownTally(tally(electors, lastChoices(ballots), rules), { sealed: rules.sealed, final: false });
  }

  /**
   * Whoever may vote by their rights, or might by those that they had at an opening; the key must let it through, and be
   * the member's own.
   * @throws AppError `RBAC_PERMISSION_DENIED`, `ACTING_NOT_ALLOWED` and those of access
   */
  private async voter(key: CallerKey, named: Named): Promise<Acting> {
    const acting = await this.access.resolve(key, named);
    const { member } = acting.facts;
    if (member !== undefined) await this.access.requireOwnKey(acting);
    if (mayVote(acting)) return acting;
    // Not by what its owner may: that is the member, who may have lost the right since the opening.
    const cut = key.scopes !== null && !key.scopes.includes(VOTE);
    return member === undefined || cut ? this.access.require(key, named, VOTE) : acting;
  }
}

const mayVote = ({ rights }: Acting): boolean => rights.entitlements.includes(VOTE);

/** Whether ballots may not be read yet. */
const isSealed = ({ stage, rules }: Proposal): boolean => stage === 'open' && rules?.sealed === true;

/** A vote while nobody else can vote or close. */
interface Voting extends ProposalNow {
  db: Db;
  record: Recorder;
  acting: Acting;
}

async function admit({ db, record, acting, proposal, now }: Voting, vote: VoteRequest): Promise<CastBallot> {
  const { daoId, actor } = acting;
  const { n, stage, opened_at: openedAt, closes_at: closesAt, execute_at: executeAt } = proposal;
  const voter = await findVoter(db, daoId, n, actor);
  // Kept as a hash: whatever a client puts into it, it says nothing about anybody later.
  const ballotId = vote.ballotId === undefined ? undefined : sha256(vote.ballotId);
  const earlier = voter && ballotId !== undefined && (await findBallot(db, daoId, n, voter.member, ballotId));
  if (earlier) return sameAs(earlier, vote);
  const standing = { stage, openedAt, closesAt, executeAt };
  const refusal = ballotRefusal(
    standing,
    voter ?? { isElector: false, linkedAt: now, linkedBy: 'join', revisions: 0 },
    now,
  );
  if (refusal) throw new AppError(refusal, undefined, { stage });
  if (!voter) throw new AppError('NOT_IN_ELECTORATE');
  const ballot = ballotOf(daoId, proposal, voter, vote.choice, now);
  await insertBallot(db, daoId, n, ballot, ballotId);
  const { revision, choice, commitment } = ballot;
  const detail = { revision, ...(commitment === null ? { choice } : { commitment }) };
  await record({ actor, action: 'vote.cast', subject: subjectOf(n), detail });
  return withoutSalt(ballot);
}

/** @throws AppError `IDEMPOTENCY_CONFLICT` */
function sameAs(earlier: Ballot, { choice }: VoteRequest): CastBallot {
  if (earlier.choice === choice) return withoutSalt(earlier);
  throw new AppError('IDEMPOTENCY_CONFLICT', 'This ballot_id was used with another choice.');
}

function ballotOf(daoId: string, { n, rules }: Proposal, found: FoundVoter, choice: Choice, now: Date): Ballot {
  const [voter, revision] = [found.member, found.revisions + 1];
  const open = { voter, revision, choice, cast_at: now };
  if (!rules?.sealed) return { ...open, salt: null, commitment: null };
  const salt = randomBytes(16).toString('base64url');
  return { ...open, salt, commitment: commitmentOf(sha256, { daoId, n, voter, revision, choice, salt }) };
}

function withoutSalt({ voter, revision, choice, commitment, cast_at }: Ballot): CastBallot {
  return { voter, revision, choice, commitment, cast_at };
}

/** The place in the list of ballots that `next` named. */
function placeOf(after = ''): { voter: string; revision: number } {
  const [, voter = after, revision] = /^(.*):(\d{1,9})$/.exec(after) ?? [];
  return { voter, revision: Number(revision ?? 0) };
}
