import type { Logger } from 'pino';
import type { CallerKey, Entitlement } from '../contracts/access.js';
import { API_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import type { ActionDraft, Proposal, ProposalFloors, ProposalSummary } from '../contracts/proposal.js';
import type { Recorder } from '../adapters/store/audit.repository.js';
import { findDao } from '../adapters/store/daos.repository.js';
import {
  countOpenBy,
  insertProposal,
  proposalNow,
  updateProposal,
  type ProposalChanges,
  type ProposalNow,
  type ProposalsRepository,
} from '../adapters/store/proposals.repository.js';
import { hasBallots, takeElectorate } from '../adapters/store/votes.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { partOf, type Page } from './pages.js';
import { reviewOf } from '../domain/proposal-review.js';
import { rulesOf } from '../domain/proposal-rules.js';
import { hoursAfter, mayBecome, mayBeVetoed } from '../domain/proposal-stage.js';
import { requireVersion, type Expected } from '../domain/versions.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { requireEntitlements, requireOwnKey, type Change, type ChangesService } from './changes.service.js';
import type { CrewRunsService } from './crew-runs.service.js';
import { checkedActions, requireDoable } from './proposal-effects.js';

/** What a proposal is drafted from. */
export interface ProposalDraft {
  title: string;
  text: string;
  actions: readonly ActionDraft[];
  /** The run of a crew that reviewed it; null or absent: none. */
  review?: string | null;
}

/** Where the clock of proposals is: it must hear of each one that begins, or changes what it waits for. */
export interface ProposalClock {
  /** @throws AppError `TEMPORAL_UNAVAILABLE` */
  pokeProposal(daoId: string, n: number): Promise<void>;
}

/** Which proposals to list: `after` is the number of the last one of the part before. */
export interface ProposalListFilter {
  after?: string | undefined;
  limit: number;
  /** Only those of a stage. */
  stage?: string | undefined;
}

export interface ProposalsDependencies {
  proposals: ProposalsRepository;
  access: AccessService;
  changes: ChangesService;
  clock: ProposalClock;
  floors: () => ProposalFloors;
  /** Where a run is found that somebody may use. */
  runs: Pick<CrewRunsService, 'own'>;
  log: Logger;
}

/** A proposal while nobody else can change it, and who acts as they are at this moment. */
interface Held extends ProposalNow {
  db: Db;
  record: Recorder;
  acting: Acting;
  self: Change['self'];
}

const CREATE = 'proposal.create' satisfies Entitlement;
/** Each open proposal has a copy of all who may vote. */
const MOST_OPEN = 20;
const EXECUTE = 'proposal.execute' satisfies Entitlement;
const BALLOTS_CAST = 'Ballots were cast: what is voted on is not taken back any more.';

/** How the record names a proposal. */
export const subjectOf = (n: number): string => `proposal:${n}`;

/** The number that a path names; nothing else is a proposal. */
export const proposalNumber = (text: string): number => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0);

/** Proposals: drafted, shown, opened, withdrawn, vetoed. What a clock does to them is elsewhere. */
export class ProposalsService {
  constructor(private readonly deps: ProposalsDependencies) {}

  /** Proposals, the newest ones first, for whoever may read them. @throws AppError those of access */
  async list(key: CallerKey, named: Named, filter: ProposalListFilter): Promise<Page<ProposalSummary>> {
    const { daoId } = await this.deps.access.require(key, named, 'chat.read');
    return this.page(daoId, filter);
  }

  /** As `list`, for those who have asked already whether it may be read. */
  async page(daoId: string, { after, limit, stage }: ProposalListFilter): Promise<Page<ProposalSummary>> {
    const below = after === undefined || after === '' ? undefined : proposalNumber(after);
    const rows = await this.deps.proposals.page(daoId, { below, limit: limit + 1, stage });
    return partOf(rows, limit, ({ n }) => String(n));
  }

  /**
   * A proposal, for whoever has the right that is needed for what is asked about it.
   * @throws AppError `PROPOSAL_NOT_FOUND` and those of access
   */
  async get(
    key: CallerKey,
    named: Named,
    n: number,
    needs: Entitlement = 'chat.read',
  ): Promise<{ daoId: string; proposal: Proposal }> {
    const { access, proposals } = this.deps;
    const { daoId } = await access.require(key, named, needs);
    const proposal = await proposals.find(daoId, n);
    if (!proposal) throw new AppError('PROPOSAL_NOT_FOUND');
    return { daoId, proposal };
  }

  /**
   * Drafts a proposal, and opens it at once if that is wanted.
   * @throws AppError `ACTION_INVALID`, `ELECTORATE_EMPTY`, `PROPOSAL_LIMIT`, `RUN_NOT_FOUND`, `REVIEW_INVALID`,
   *   `ACTING_NOT_ALLOWED` for somebody else's key, those of access
   */
  async create(key: CallerKey, named: Named, draft: ProposalDraft & { open: boolean }): Promise<Proposal> {
    const asked = await this.deps.access.require(key, named, CREATE);
    const { daoId } = asked;
    const run = draft.review ? await this.deps.runs.own(asked, draft.review) : null;
    const made = await this.deps.changes.within(asked, async (change) => {
      const { db, record, by: acting, self } = change;
      requireEntitlements(acting, [CREATE]);
      const author = authorOf(change);
      const actions = await checkedActions(db, daoId, draft.actions);
      const { title, text } = draft;
      const review = run && reviewOf(run, { title, text });
      const drafted = await insertProposal(db, daoId, { author, title, text, actions, review });
      await record({ actor: acting.actor, action: 'proposal.create', subject: subjectOf(drafted.proposal.n) });
      return draft.open ? this.openNow({ db, record, acting, self, ...drafted }) : drafted.proposal;
    });
    this.poke(daoId, made.n);
    return made;
  }

  /**
   * Changes a draft. A review that it carries stays, and says no longer that it is of what the draft says.
   * @throws AppError `VERSION_CHANGED`, `PROPOSAL_STAGE`, `NOT_THE_AUTHOR`, `ACTION_INVALID`, `RUN_NOT_FOUND`,
   *   `REVIEW_INVALID` and those of access
   */
  async edit(
    key: CallerKey,
    named: Named,
    n: number,
    { actions, review: runId, ...texts }: Partial<ProposalDraft>,
    expected: Expected,
  ): Promise<Proposal> {
    const asked = await this.deps.access.require(key, named, CREATE);
    const run = runId && (await this.deps.runs.own(asked, runId));
    return this.asAuthor(asked, n, async ({ db, record, acting: { daoId, actor }, proposal }) => {
      requireVersion(proposal.version, expected);
      requireStage(proposal, proposal.stage === 'draft');
      const given = { ...texts, ...(actions && { actions: await checkedActions(db, daoId, actions) }) };
      const changed = [...Object.keys(given), ...(runId === undefined ? [] : ['review'])];
      await record({ actor, action: 'proposal.edit', subject: subjectOf(n), detail: { changed } });
      const next = { ...proposal, ...texts };
      const review = run ? reviewOf(run, next) : runId === null ? null : keptReview(proposal, next);
      return updateProposal(db, daoId, n, { ...given, review });
    });
  }

  /**
   * Opens a draft: rules, who may vote and with what weight are fixed from now on.
   * @throws AppError `PROPOSAL_STAGE`, `NOT_THE_AUTHOR`, `ACTION_INVALID`, `ELECTORATE_EMPTY`, `PROPOSAL_LIMIT` and
   *   those of access
   */
  async open(key: CallerKey, named: Named, n: number): Promise<Proposal> {
    return this.asAuthor(await this.deps.access.require(key, named, CREATE), n, (held) => this.openNow(held));
  }

  /**
   * Takes back a draft, or an open proposal for which nobody has voted yet.
   * @throws AppError `PROPOSAL_STAGE`, `NOT_THE_AUTHOR` and those of access
   */
  async withdraw(key: CallerKey, named: Named, n: number): Promise<Proposal> {
    const asked = await this.deps.access.require(key, named, CREATE);
    return this.asAuthor(asked, n, async ({ db, record, acting: { daoId, actor }, proposal, now }) => {
      const { stage, closes_at: closesAt } = proposal;
      requireStage(proposal, mayBecome(stage, 'withdrawn') && !(closesAt && now >= closesAt));
      if (await hasBallots(db, daoId, n)) throw new AppError('PROPOSAL_STAGE', BALLOTS_CAST, { stage });
      await record({ actor, action: 'proposal.withdraw', subject: subjectOf(n) });
      return updateProposal(db, daoId, n, { stage: 'withdrawn', ended_at: now, due_at: null });
    });
  }

  /**
   * Stops what has passed, before it is executed.
   * @throws AppError `PROPOSAL_STAGE` from the moment of execution on, and those of access
   */
  async veto(key: CallerKey, named: Named, n: number, reason: string): Promise<Proposal> {
    const asked = await this.deps.access.require(key, named, EXECUTE);
    return this.change(asked, EXECUTE, n, async ({ db, record, acting: { daoId, actor }, proposal, now }) => {
      const { stage, closes_at: closesAt, execute_at: executeAt } = proposal;
      requireStage(proposal, mayBeVetoed({ stage, closesAt, executeAt }, now));
      await record({ actor, action: 'proposal.veto', subject: subjectOf(n) });
      return updateProposal(db, daoId, n, { stage: 'vetoed', ended_at: now, due_at: null, veto_reason: reason });
    });
  }

  private async openNow({ db, record, acting, proposal, now }: Held): Promise<Proposal> {
    const { daoId, actor } = acting;
    const { n, actions } = proposal;
    requireStage(proposal, mayBecome(proposal.stage, 'open'));
    if ((await countOpenBy(db, daoId, proposal.author)) >= MOST_OPEN) throw new AppError('PROPOSAL_LIMIT');
    await requireDoable(db, daoId, actions);
    const settings = (await findDao(db, daoId))?.settings ?? {};
    const rules = rulesOf(settings, this.deps.floors());
    const electors = await takeElectorate(db, daoId, n, rules.weights, settings);
    if (electors === 0) throw new AppError('ELECTORATE_EMPTY');
    const closesAt = hoursAfter(now, rules.voting_hours);
    const changes: ProposalChanges = { stage: 'open', rules, opened_at: now, closes_at: closesAt, due_at: closesAt };
    const detail = { rules, electors, closes_at: closesAt.toISOString() };
    await record({ actor, action: 'proposal.open', subject: subjectOf(n), detail });
    return updateProposal(db, daoId, n, changes);
  }

  private async asAuthor(asked: Acting, n: number, change: (held: Held) => Promise<Proposal>): Promise<Proposal> {
    return this.change(asked, CREATE, n, (held) => {
      if (held.proposal.author !== authorOf({ by: held.acting, self: held.self })) throw new AppError('NOT_THE_AUTHOR');
      return change(held);
    });
  }

  private async change(
    asked: Acting,
    needs: Entitlement,
    n: number,
    change: (held: Held) => Promise<Proposal>,
  ): Promise<Proposal> {
    const { daoId } = asked;
    const changed = await this.deps.changes.within(asked, async ({ db, record, by: acting, self }) => {
      requireEntitlements(acting, [needs]);
      const found = await proposalNow(db, daoId, n);
      if (!found) throw new AppError('PROPOSAL_NOT_FOUND');
      return change({ db, record, acting, self, ...found });
    });
    this.poke(daoId, n);
    return changed;
  }

  /** Nobody waits for the clock to hear of it, and no call fails for it: what it misses is found when it is overdue. */
  private poke(daoId: string, n: number): void {
    const { clock, log } = this.deps;
    clock.pokeProposal(daoId, n).catch((error: unknown) => {
      log.warn(
        { dao_id: daoId, proposal: n, err: error },
        'the clock of a proposal could not be told; it is told later',
      );
    });
  }
}

/**
 * Who a proposal is by: a member, with a key for which nobody else answers, or a key's own principal.
 * @throws AppError `ACTING_NOT_ALLOWED`, `RBAC_PERMISSION_DENIED`
 */
function authorOf({ by, self }: Pick<Change, 'by' | 'self'>): string {
  const { actor } = by;
  if (self) {
    requireOwnKey({ by, self });
    return self.id;
  }
  if (actor.startsWith(API_PRINCIPAL_PREFIX)) return actor;
  throw new AppError('RBAC_PERMISSION_DENIED', 'Only a member can make a proposal.');
}

/** The review that a draft had, once it says something else. */
const keptReview = ({ review, ...before }: Proposal, { title, text }: Proposal): Proposal['review'] =>
  review && { ...review, current: review.current && before.title === title && before.text === text };

function requireStage({ stage }: Proposal, holds: boolean): void {
  if (!holds) throw new AppError('PROPOSAL_STAGE', undefined, { stage });
}
