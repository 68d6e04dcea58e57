import { sql, type RawBuilder } from 'kysely';
import { pino } from 'pino';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import type { Database } from '../../src/adapters/store/database.js';
import { DaosRepository, updateDao } from '../../src/adapters/store/daos.repository.js';
import { DelegationsRepository } from '../../src/adapters/store/delegations.repository.js';
import { ProposalsRepository } from '../../src/adapters/store/proposals.repository.js';
import { VotesRepository } from '../../src/adapters/store/votes.repository.js';
import { PLATFORM_OWNER, type CallerKey } from '../../src/contracts/access.js';
import type { DaoSettings } from '../../src/contracts/dao.js';
import type { Choice, Proposal, ProposalFloors } from '../../src/contracts/proposal.js';
import { AccessService } from '../../src/services/access.service.js';
import { AppError } from '../../src/errors/app-error.js';
import type { SeenRun } from '../../src/contracts/crew-view.js';
import type { CrewRunsService } from '../../src/services/crew-runs.service.js';
import { ChangesService } from '../../src/services/changes.service.js';
import { DelegationsService } from '../../src/services/delegations.service.js';
import { ProposalAdvanceService } from '../../src/services/proposal-advance.service.js';
import { ProposalsService, type ProposalClock, type ProposalDraft } from '../../src/services/proposals.service.js';
import { VotesService, type CastBallot } from '../../src/services/votes.service.js';

const NO_FLOORS: ProposalFloors = { voting_hours: 0, quorum: 0, threshold: 0, veto_hours: 0 };

/** The key of a person who acts for themselves. */
export const keyOfUser = (daoId: string, principal: string): CallerKey => ({
  ...{ id: `key of ${principal}`, daoId, principal, gateway: false, owner: PLATFORM_OWNER, scopes: null },
});

/** Services of proposals over a database, for one DAO, with a clock that is told and does nothing. */
export class Assembly {
  readonly told: string[] = [];
  readonly audit: AuditRepository;
  readonly access: AccessService;
  readonly proposals: ProposalsService;
  readonly votes: VotesService;
  readonly delegations: DelegationsService;
  readonly advancing: ProposalAdvanceService;
  floors = NO_FLOORS;
  /** Runs of crews that everybody may use, by their ids. */
  readonly runs = new Map<string, SeenRun>();

  constructor(
    readonly database: Database,
    readonly daoId: string,
    clock?: ProposalClock,
  ) {
    const proposals = new ProposalsRepository(database);
    const log = pino({ level: 'silent' });
    const { told } = this;
    this.audit = new AuditRepository(database);
    this.access = new AccessService(new AccessRepository(database), this.audit, () => undefined);
    const heard: ProposalClock = {
      pokeProposal: (dao, n) => Promise.resolve(void told.push(`${dao}/${n}`)),
    };
    const shared = { proposals, clock: clock ?? heard, log };
    const adminNeeds = loadDefaultRoles().admin ?? [];
    const changes = new ChangesService(this.access, this.audit, adminNeeds);
    const own: CrewRunsService['own'] = (_acting, runId) => {
      const found = this.runs.get(runId);
      return found ? Promise.resolve(found) : Promise.reject(new AppError('RUN_NOT_FOUND'));
    };
    this.proposals = new ProposalsService({
      ...shared,
      changes,
      access: this.access,
      floors: () => this.floors,
      runs: { own },
    });
    this.votes = new VotesService(new VotesRepository(database), this.proposals, this.access, this.audit);
    this.delegations = new DelegationsService(new DelegationsRepository(database), this.access, changes);
    this.advancing = new ProposalAdvanceService({ ...shared, audit: this.audit, adminNeeds });
  }

  /** A DAO of this assembly: roles by the ids of platforms. */
  async found(members: Record<string, string[]>, settings: DaoSettings = {}): Promise<void> {
    const dao = { id: this.daoId, name: 'A DAO', facts: { purpose: 'Food.' }, members };
    await new DaosRepository(this.database).create(dao, loadDefaultRoles());
    await this.settle(settings);
    // Known for long: `elapse` takes openings back.
    const long = sql<Date>`now() - interval '1 year'`;
    await this.database.of(this.daoId).updateTable('identities').set({ linked_at: long }).execute();
  }

  async settle(settings: DaoSettings): Promise<void> {
    await updateDao(this.database.of(this.daoId), this.daoId, { settings });
  }

  key(user: string): CallerKey {
    return keyOfUser(this.daoId, user);
  }

  async memberId(user: string): Promise<string> {
    const query = this.database.of(this.daoId).selectFrom('identities').where('dao_id', '=', this.daoId);
    return (await query.where('user_id', '=', user).select('member_id').executeTakeFirstOrThrow()).member_id;
  }

  async open(user: string, draft: Partial<ProposalDraft> = {}): Promise<Proposal> {
    const whole = { title: 'A proposal', text: 'Do it.', actions: [], ...draft, open: true };
    return this.proposals.create(this.key(user), {}, whole);
  }

  vote(user: string, n: number, choice: Choice, ballotId?: string): Promise<CastBallot> {
    return this.votes.cast(this.key(user), {}, n, { choice, ballotId });
  }

  async get(user: string, n: number): Promise<Proposal> {
    return (await this.proposals.get(this.key(user), {}, n)).proposal;
  }

  /** Lets time pass for a proposal: everything that it waits for comes so much earlier. */
  async elapse(n: number, ms: number): Promise<void> {
    const earlier = (name: string): RawBuilder<Date> =>
      sql<Date>`${sql.ref(name)} - make_interval(secs => ${ms / 1_000})`;
    await this.database
      .of(this.daoId)
      .updateTable('proposals')
      .set({
        opened_at: earlier('opened_at'),
        closes_at: earlier('closes_at'),
        execute_at: earlier('execute_at'),
        due_at: earlier('due_at'),
      })
      .where('n', '=', n)
      .execute();
  }

  /** Rows of the record, parsed. */
  async recorded(
    action?: string,
  ): Promise<{ action: string; actor: string; subject: string; detail: Record<string, unknown> }[]> {
    const rows = await this.audit.page(this.daoId, { after: 0, limit: 10_000, action });
    return rows.map(({ entry }) => JSON.parse(entry) as never);
  }
}
