import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { requestLog } from '../activities/log.js';
import type { ActivityDependencies } from '../activities/index.js';
import { defaultDaoOf, type Env } from '../config/env.js';
import type { LoadedConfig } from '../config/loader.js';
import { crewVersion, loadShippedCrews, readCrew } from '../config/crews.js';
import { loadIntents } from '../config/intents.js';
import { agentTools } from './schemas/agent-tools.js';
import { loadDefaultRoles, loadDevSeed } from '../config/seed.js';
import type { HashedConfig, ProfileFiles } from './adapters/profile-files.js';
import type { RequestCounter } from './adapters/limits/request-counter.js';
import { HeadFiles } from './adapters/head-files.js';
import { ProviderCall } from './adapters/llm/provider-call.js';
import { LlmRegistry, type Pools } from './adapters/llm/registry.js';
import type { Database } from './adapters/store/database.js';
import type { TemporalGateway } from './adapters/temporal/gateway.js';
import { InProcessTokenBus } from './adapters/token-bus/in-process-bus.js';
import type { HeadKey } from './contracts/audit.js';
import type { ProviderConfig } from './contracts/provider-config.js';
import type { ProposalFloors } from './contracts/proposal.js';
import type { SharedState } from './contracts/shared-state.js';
import type { LimitRules } from './domain/limits.js';
import type { ApiServices } from './main.js';
import { devtoolsOf, type Devtools } from './devtools.js';
import { dialogsOf, type Dialogs } from './dialogs.js';
import { repositoriesOf, type Repositories } from './repositories.js';
import { AccessService } from './services/access.service.js';
import { AuditHeadsService } from './services/audit-heads.service.js';
import { AuditService } from './services/audit.service.js';
import { AdmissionService } from './services/admission.service.js';
import { AvailabilityService } from './services/availability.service.js';
import { ConfigGuard } from './services/config-guard.js';
import { ConfigService } from './services/config.service.js';
import { Denials } from './services/denials.js';
import { Cancels } from './services/cancels.js';
import { crewingOf, type Crewing } from './services/crewing.js';
import { DialogRecordsService } from './services/dialog-records.service.js';
import { DrainService } from './services/drain.service.js';
import { KeysService } from './services/keys.service.js';
import { HeadStarts } from './services/head-starts.js';
import { LimitsService } from './services/limits.service.js';
import { ModelsService } from './services/models.service.js';
import { OutcomesService } from './services/outcomes.service.js';
import { peopleOf, type People } from './services/people.js';
import { ProviderStatesService } from './services/provider-states.service.js';
import { ProvidersService } from './services/providers.service.js';
import { ReconcilerService } from './services/reconciler.service.js';
import { RecordedDecisions } from './services/recorded-decisions.js';
import { RequestsService } from './services/requests.service.js';
import { rightsOf, type RightsServices } from './services/rights.js';
import { RoutingService } from './services/routing.service.js';
import { SubmissionsService } from './services/submissions.service.js';
import { TrialsService } from './services/trials.service.js';
import { UsageService } from './services/usage.service.js';
import { votingOf, type Voting } from './services/voting.js';
import { WhatIfService } from './services/whatif.service.js';

/** What services stand on, open. */
export interface Foundation {
  env: Env;
  log: Logger;
  database: Database;
  shared: SharedState;
  counter: RequestCounter;
  temporal: TemporalGateway;
  files: ProfileFiles;
  /** Weights of the embedded model; undefined where it is not to be had. */
  modelPath: string | undefined;
  /** Signs the heads of the record; absent: nothing is signed. */
  signingKey?: HeadKey | undefined;
}

/**
 * Builds the services of a process, each once, over what is open. The configuration has been chosen when this returns.
 * @throws AppError `CONFIG_INVALID`, `STORE_UNAVAILABLE`
 */
export async function compose(foundation: Foundation, loaded: HashedConfig): Promise<Composition> {
  const repositories = repositoriesOf(foundation.database);
  const { env, log, files } = foundation;
  const denials = new Denials(repositories.audit, (error) => {
    log.warn({ err: error }, 'repeated denials could not be put on the record');
  });
  let seeded: string | undefined;
  const dao = (): string | undefined =>
    defaultDaoOf(env, () => (isDevelopment(config.current()) ? (seeded ??= loadDevSeed().daos[0]?.id) : undefined));
  const access: AccessService = new AccessService(repositories.access, repositories.audit, dao, denials);
  const recorded = new RecordedDecisions(repositories.requests, repositories.refusals);
  const guard = new ConfigGuard(recorded);
  const { audit, config: repository } = repositories;
  const config = new ConfigService<HashedConfig>(files, { repository, guard, audit, access, log });
  await config.start(loaded);
  return new Composition(foundation, repositories, access, recorded, config, dao);
}

/** Where signed heads of the record are posted: outside DAGI_HOME, if others than the product are to read them. */
const headsFolder = (env: Env, { profile }: LoadedConfig): string =>
  resolve(env.home, profile.audit.heads_folder ?? 'audit');

/** The parts of a process, wired. */
export class Composition {
  readonly bus = new InProcessTokenBus();
  readonly drain = new DrainService();
  private readonly startedAt = new Date();
  readonly registry: LlmRegistry;
  readonly states: ProviderStatesService;
  readonly admission: AdmissionService;
  readonly audit: AuditService;
  readonly auditHeads: AuditHeadsService;
  readonly crewing: Crewing;
  readonly cancels: Cancels;
  readonly devtools: Devtools;
  readonly dialogs: Dialogs;
  readonly dialogRecords: DialogRecordsService;
  readonly headStarts: HeadStarts;
  readonly keys: KeysService;
  readonly limits: LimitsService;
  readonly models: ModelsService;
  readonly people: People;
  readonly requests: RequestsService;
  readonly rights: RightsServices;
  readonly submissions: SubmissionsService;
  readonly outcomes: OutcomesService;
  readonly reconciler: ReconcilerService;
  readonly routing: RoutingService;
  readonly providers: ProvidersService;
  readonly usage: UsageService;
  readonly voting: Voting;
  readonly whatIf: WhatIfService;

  constructor(
    private readonly foundation: Foundation,
    readonly repositories: Repositories,
    readonly access: AccessService,
    recorded: RecordedDecisions,
    readonly config: ConfigService<HashedConfig>,
    readonly defaultDao: () => string | undefined,
  ) {
    const { env, log, shared, temporal } = foundation;
    const { audit, figures, keys, refusals, requests, usage } = repositories;
    const { bus } = this;
    const table = (): LoadedConfig['routing'] => config.current().routing;
    this.registry = new LlmRegistry(this.configuredProviders(), poolsOf(table()));
    this.states = new ProviderStatesService(shared, log);
    this.admission = new AdmissionService(shared, log);
    this.cancels = new Cancels(shared, bus, log);
    const availability = new AvailabilityService(this.states, this.admission, this.registry);
    this.people = peopleOf({ access, repositories, roles: loadDefaultRoles() });
    const { changes } = this.people;
    this.voting = this.votingWith();
    const { proposals, advancing } = this.voting;
    this.rights = rightsOf({ access, changes, repositories, recorded, proposals, running: () => config.current() });
    this.audit = new AuditService(audit, access);
    this.dialogRecords = new DialogRecordsService(repositories.dialogs, access);
    this.auditHeads = new AuditHeadsService({
      ...{ heads: repositories.auditHeads, audit, access, log, key: foundation.signingKey },
      publishers: [new HeadFiles(() => headsFolder(env, config.current()))],
    });
    this.devtools = devtoolsOf(env, log, () => config.current());
    this.keys = new KeysService(keys, access, audit);
    this.limits = new LimitsService(foundation.counter, usage, () => limitsOf(config.current()), log);
    this.requests = new RequestsService(requests, access, temporal, this.cancels, availability, log);
    this.headStarts = new HeadStarts({
      ...{ requests, bus, log, temporal, registry: this.registry, states: this.states },
      settings: () => headStartsOf(config.current()),
    });
    this.crewing = this.crewingWith(table);
    const since = this.startedAt;
    this.models = new ModelsService(() => ({ routing: table(), since }), access, this.registry, this.crewing.crews);
    this.submissions = new SubmissionsService({
      ...{ requests, refusals, access, availability, temporal, log, headStarts: this.headStarts, routing: table },
      ...{ crews: this.crewing.starts, limits: this.limits, accepted: this.requests },
    });
    this.outcomes = new OutcomesService(requests, temporal, bus, this.repositories.crewViews);
    this.dialogs = dialogsOf({ ...foundation, clock: temporal, defaultDao, services: this, wording: loadIntents() });
    const overdue = { proposals: advancing, crews: this.crewing.runs, ...this.dialogs.overdue };
    this.reconciler = new ReconcilerService(requests, this.requests, log, refusals, overdue);
    this.routing = new RoutingService(table, access, this.crewing.starts);
    const policies = (): LoadedConfig['routing']['providers'] => table().providers;
    this.providers = new ProvidersService(this.registry, this.states, this.admission, figures, access, policies);
    this.usage = new UsageService(usage, access);
    const trials = new TrialsService(requests, access, this.submissions, table);
    const providers = (): string[] => Object.keys(policies());
    this.whatIf = new WhatIfService({ access, recorded, figures, usage, trials, providers });
    config.onActivate((active) => {
      this.follow(active);
    });
  }

  private votingWith(): Voting {
    const { access, config, foundation, people, repositories } = this;
    return votingOf({
      ...{ access, repositories, changes: people.changes, log: foundation.log, clock: foundation.temporal },
      floors: () => floorsOf(config.current()),
      runs: { own: (acting, runId) => this.crewing.runs.own(acting, runId) },
      adminNeeds: loadDefaultRoles().admin ?? [],
    });
  }

  private crewingWith(routing: () => LoadedConfig['routing']): Crewing {
    const { repositories, access, limits, headStarts, registry: abilities, foundation, config, bus } = this;
    return crewingOf({
      ...{ repositories, access, limits, abilities, headStarts, bus, routing, changes: this.people.changes },
      ...{ log: foundation.log, clock: foundation.temporal },
      ...{ tools: agentTools(), shipped: loadShippedCrews(), read: readCrew, hashOf: crewVersion },
      room: () => config.current().profile.limits.open_crew_runs,
    });
  }

  /** What activities are made of. */
  activities(): ActivityDependencies {
    const { auditHeads, bus, admission, states, registry, config } = this;
    const { cache, requests } = this.repositories;
    const { advancing: proposals } = this.voting;
    const { toolbox: tools } = this.devtools;
    const { advancing: crews, daoTools } = this.crewing;
    const { turns, acts, small, memory } = this.dialogs;
    return {
      news: this.dialogs.news.spreading,
      dialogs: {
        answerNext: (address, attempt) => turns.answerNext(address, attempt),
        doActs: (address, attempt) => acts.doActs(address, attempt),
        sayNext: (address, attempt) => small.sayNext(address, attempt),
        remember: (address, dialog, signal) => memory.remember(address, dialog, signal),
      },
      ...{ auditHeads, bus, admission, states, cache, requests, proposals, tools, crews, daoTools },
      providers: registry,
      denied: (daoId, actor, detail) => this.access.deniedAtWork(daoId, actor, detail),
      calls: {
        begin: (order) => new ProviderCall(order),
        adopt: (input) => this.headStarts.adopt(input),
      },
      log: requestLog(this.foundation.log),
      get historyTokens() {
        return config.current().profile.limits.session_tokens;
      },
    };
  }

  /** What the HTTP edge calls. */
  edge(): Omit<ApiServices, 'health' | 'log'> {
    return this;
  }

  /** Takes over what a new configuration says where it is not asked for with each request. */
  private follow({ logLevel, routing }: HashedConfig): void {
    this.foundation.log.level = logLevel;
    this.registry.configure(this.configuredProviders(), poolsOf(routing));
  }

  private configuredProviders(): ProviderConfig[] {
    const { modelPath } = this.foundation;
    return this.config
      .current()
      .providers.map((one) => (one.type === 'embedded' && modelPath ? { modelPath, ...one } : one));
  }
}

export const isDevelopment = ({ profile }: LoadedConfig): boolean => profile.environment === 'development';

const poolsOf = ({ providers }: LoadedConfig['routing']): Pools =>
  Object.fromEntries(Object.entries(providers).map(([name, { pool }]) => [name, pool]));

const headStartsOf = ({ profile }: LoadedConfig): { enabled: boolean; historyTokens: number } => ({
  enabled: profile.limits.head_start,
  historyTokens: profile.limits.session_tokens,
});

const floorsOf = ({ profile }: LoadedConfig): ProposalFloors => {
  const { voting_hours = 0, quorum = 0, threshold = 0, veto_hours = 0 } = profile.limits.proposals ?? {};
  return { voting_hours, quorum, threshold, veto_hours };
};

const limitsOf = ({ profile }: LoadedConfig): LimitRules => ({
  requestsPerMinute: profile.limits.requests_per_minute ?? {},
  tokensPerMonth: profile.limits.tokens_per_month ?? {},
  daos: Object.fromEntries(
    Object.entries(profile.daos).map(([dao, { requests_per_minute, tokens_per_month }]) => [
      dao,
      { requestsPerMinute: requests_per_minute, tokensPerMonth: tokens_per_month },
    ]),
  ),
});
