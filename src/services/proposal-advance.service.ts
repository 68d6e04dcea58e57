import type { Logger } from 'pino';
import type { Entitlement } from '../contracts/access.js';
import { CLOCK_PRINCIPAL, type Advanced, type Proposal } from '../contracts/proposal.js';
import type { AuditRepository, Recorder } from '../adapters/store/audit.repository.js';
import {
  proposalNow,
  updateProposal,
  type ProposalChanges,
  type ProposalNow,
  type ProposalsRepository,
} from '../adapters/store/proposals.repository.js';
import { countedOf } from '../adapters/store/votes.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { digestOfBallots, lastChoices } from '../domain/ballot.js';
import { recordedAction } from '../domain/proposal-actions.js';
import { hoursAfter, isFinalStage, remainingMs, whatIsDue, type Standing } from '../domain/proposal-stage.js';
import { outcomeOf, tally } from '../domain/tally.js';
import { doActions } from './proposal-effects.js';
import { subjectOf, type ProposalClock } from './proposals.service.js';
import { sha256 } from '../adapters/digest.js';

/** A proposal's own workflow gets so long to do what is due, in seconds. */
const OVERDUE_SECONDS = 5;
const BATCH = 200;

export interface ProposalAdvanceDependencies {
  proposals: ProposalsRepository;
  audit: AuditRepository;
  clock: ProposalClock;
  /** What somebody must be able to do in each DAO, after whatever was executed. */
  adminNeeds: readonly Entitlement[];
  log: Logger;
}

/** A proposal for which something is due, while nobody else can change it. */
interface DueProposal extends ProposalNow {
  db: Db;
  record: Recorder;
  daoId: string;
}

const standingOf = ({ stage, closes_at: closesAt, execute_at: executeAt }: Proposal): Standing => {
  return { stage, closesAt, executeAt };
};

/** What a clock does to proposals: closes them, counts, and executes what has passed. */
export class ProposalAdvanceService {
  constructor(private readonly deps: ProposalAdvanceDependencies) {}

  /**
   * Does for a proposal what is due by the database's clock. Safe to repeat, and to do in several places at once: each
   * step is done once.
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async advance(daoId: string, n: number): Promise<Advanced> {
    for (;;) {
      // Without a proposal there may be no DAO either, and then no chain should begin.
      if (!(await this.deps.proposals.find(daoId, n))) return { stage: 'gone', remainingMs: null, final: true };
      const found = await this.deps.audit.recorded(daoId, async (db, record) => {
        const before = await proposalNow(db, daoId, n);
        return before && { ...before, proposal: await this.step({ ...before, db, record, daoId }) };
      });
      if (!found) continue;
      const { proposal, now } = found;
      const standing = standingOf(proposal);
      // What was closed just now may be due for execution as well.
      if (whatIsDue(standing, now)) continue;
      const { stage } = proposal;
      return { stage, remainingMs: remainingMs(standing, now), final: isFinalStage(stage) };
    }
  }

  /**
   * Advances every proposal, of all DAOs, that is overdue, and lets its clock know, which may have missed something or
   * be gone. One that fails keeps no other from it.
   */
  async sweep(): Promise<void> {
    const { proposals, clock, log } = this.deps;
    for (const { daoId, n } of await proposals.overdue(OVERDUE_SECONDS, BATCH)) {
      try {
        const { stage } = await this.advance(daoId, n);
        log.info({ dao_id: daoId, proposal: n, stage }, 'overdue proposal advanced');
        await clock.pokeProposal(daoId, n);
      } catch (error) {
        log.warn(
          { dao_id: daoId, proposal: n, err: error },
          'overdue proposal could not be advanced; tried again shortly',
        );
      }
    }
  }

  private async step(due: DueProposal): Promise<Proposal> {
    switch (whatIsDue(standingOf(due.proposal), due.now)) {
      case 'close':
        return close(due);
      case 'execute':
        return execute(due, this.deps.adminNeeds);
      case undefined:
        return due.proposal;
    }
  }
}

/** Counts the ballots. Whoever would veto has the whole delay from now on, however late this is. */
async function close({ db, record, daoId, proposal, now }: DueProposal): Promise<Proposal> {
  const { n, rules } = proposal;
  if (!rules) throw new Error(`the open proposal ${n} has no rules`);
  const { electors, ballots } = await countedOf(db, daoId, n);
  const result = tally(electors, lastChoices(ballots), rules);
  const stage = outcomeOf(result);
  const executeAt = stage === 'passed' ? hoursAfter(now, rules.veto_hours) : null;
  const ended: ProposalChanges = executeAt ? {} : { ended_at: now };
  // The salts are shown from now on; this keeps whoever shows them from changing them.
  const detail = { stage, result, ballots_digest: digestOfBallots(sha256, ballots) };
  await record({ actor: CLOCK_PRINCIPAL, action: 'proposal.close', subject: subjectOf(n), detail });
  return updateProposal(db, daoId, n, {
    stage,
    result,
    closed_at: now,
    execute_at: executeAt,
    due_at: executeAt,
    ...ended,
  });
}

/** Does what was decided, in the transaction that says so: once, or not at all. */
async function execute(
  { db, record, daoId, proposal, now }: DueProposal,
  adminNeeds: readonly Entitlement[],
): Promise<Proposal> {
  const { n, actions } = proposal;
  const failure = await doActions(db, daoId, actions, adminNeeds);
  const stage = failure ? 'failed' : 'executed';
  const detail = failure ? { ...failure } : { actions: actions.map(recordedAction) };
  await record({
    actor: CLOCK_PRINCIPAL,
    action: failure ? 'proposal.fail' : 'proposal.execute',
    subject: subjectOf(n),
    detail,
  });
  return updateProposal(db, daoId, n, { stage, ended_at: now, due_at: null, ...(failure && { failure }) });
}
