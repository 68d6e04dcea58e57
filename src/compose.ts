import type { Logger } from 'pino';
import { requestLog } from '../activities/log.js';
import type { ActivityDependencies } from '../activities/index.js';
import type { Env } from '../config/env.js';
import type { LoadedConfig } from '../config/loader.js';
import { loadDevSeed } from '../config/seed.js';
import type { HashedConfig, ProfileFiles } from './adapters/profile-files.js';
import type { RequestCounter } from './adapters/limits/request-counter.js';
import { LlmRegistry, type Pools } from './adapters/llm/registry.js';
import { AccessRepository } from './adapters/store/access.repository.js';
import { AnswerCacheRepository } from './adapters/store/answer-cache.repository.js';
import { AuditRepository } from './adapters/store/audit.repository.js';
import { ConfigRepository } from './adapters/store/config.repository.js';
import { DaosRepository } from './adapters/store/daos.repository.js';
import type { Database } from './adapters/store/database.js';
import type { Tenants } from './adapters/store/tenants.js';
import { KeysRepository } from './adapters/store/keys.repository.js';
import { ProviderFiguresRepository } from './adapters/store/provider-figures.repository.js';
import { RefusalsRepository } from './adapters/store/refusals.repository.js';
import { RequestsRepository } from './adapters/store/requests.repository.js';
import { UsageRepository } from './adapters/store/usage.repository.js';
import type { TemporalGateway } from './adapters/temporal/gateway.js';
import { InProcessTokenBus } from './adapters/token-bus/in-process-bus.js';
import type { ProviderConfig } from './contracts/provider-config.js';
import type { SharedState } from './contracts/shared-state.js';
import type { LimitRules } from './domain/limits.js';
import type { ApiServices } from './main.js';
import { AccessService } from './services/access.service.js';
import { AdmissionService } from './services/admission.service.js';
import { AvailabilityService } from './services/availability.service.js';
import { ConfigGuard } from './services/config-guard.js';
import { ConfigService } from './services/config.service.js';
import { DrainService } from './services/drain.service.js';
import { KeysService } from './services/keys.service.js';
import { LimitsService } from './services/limits.service.js';
import { OutcomesService } from './services/outcomes.service.js';
import { ProviderStatesService } from './services/provider-states.service.js';
import { ProvidersService } from './services/providers.service.js';
import { ReconcilerService } from './services/reconciler.service.js';
import { RecordedDecisions } from './services/recorded-decisions.js';
import { RequestsService } from './services/requests.service.js';
import { RoutingService } from './services/routing.service.js';
import { SubmissionsService } from './services/submissions.service.js';
import { TrialsService } from './services/trials.service.js';
import { UsageService } from './services/usage.service.js';
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
}

/** The repositories over one database. */
const repositoriesOf = (tenants: Tenants) => ({
  access: new AccessRepository(tenants),
  audit: new AuditRepository(tenants),
  cache: new AnswerCacheRepository(tenants),
  config: new ConfigRepository(tenants),
  daos: new DaosRepository(tenants),
  figures: new ProviderFiguresRepository(tenants),
  keys: new KeysRepository(tenants),
  refusals: new RefusalsRepository(tenants),
  requests: new RequestsRepository(tenants),
  usage: new UsageRepository(tenants),
});

export type Repositories = ReturnType<typeof repositoriesOf>;

/**
 * Builds the services of a process, each once, over what is open. The configuration has been chosen when this returns.
 * @throws AppError `CONFIG_INVALID`, `STORE_UNAVAILABLE`
 */
export async function compose(foundation: Foundation, loaded: HashedConfig): Promise<Composition> {
  const repositories = repositoriesOf(foundation.database);
  const { env, log, files } = foundation;
  const access: AccessService = new AccessService(repositories.access, repositories.audit, () =>
    defaultDao(env, config.current()),
  );
  const recorded = new RecordedDecisions(repositories.requests, repositories.refusals);
  const guard = new ConfigGuard(recorded);
  const { audit, config: repository } = repositories;
  const config = new ConfigService<HashedConfig>(files, { repository, guard, audit, access, log });
  await config.start(loaded);
  return new Composition(foundation, repositories, access, recorded, config);
}

/** The parts of a process, wired. */
export class Composition {
  readonly bus = new InProcessTokenBus();
  readonly drain = new DrainService();
  readonly registry: LlmRegistry;
  readonly states: ProviderStatesService;
  readonly admission: AdmissionService;
  readonly keys: KeysService;
  readonly limits: LimitsService;
  readonly requests: RequestsService;
  readonly submissions: SubmissionsService;
  readonly outcomes: OutcomesService;
  readonly reconciler: ReconcilerService;
  readonly routing: RoutingService;
  readonly providers: ProvidersService;
  readonly usage: UsageService;
  readonly whatIf: WhatIfService;

  constructor(
    private readonly foundation: Foundation,
    readonly repositories: Repositories,
    readonly access: AccessService,
    recorded: RecordedDecisions,
    readonly config: ConfigService<HashedConfig>,
  ) {
    const { log, shared, temporal } = foundation;
    const { audit, figures, keys, refusals, requests, usage } = repositories;
    const { bus } = this;
    const table = (): LoadedConfig['routing'] => config.current().routing;
    this.registry = new LlmRegistry(this.configuredProviders(), poolsOf(table()));
    this.states = new ProviderStatesService(shared, log);
    this.admission = new AdmissionService(shared, log);
    const availability = new AvailabilityService(this.states, this.admission);
    this.keys = new KeysService(keys, access, audit);
    this.limits = new LimitsService(foundation.counter, usage, () => limitsOf(config.current()), log);
    this.requests = new RequestsService(requests, access, temporal, bus, availability);
    this.submissions = new SubmissionsService({
      ...{ requests, refusals, access, availability, temporal, log },
      limits: this.limits,
      accepted: this.requests,
      routing: table,
    });
    this.outcomes = new OutcomesService(requests, temporal, bus);
    this.reconciler = new ReconcilerService(requests, this.requests, log, refusals);
    this.routing = new RoutingService(table, access);
    const policies = (): LoadedConfig['routing']['providers'] => table().providers;
    this.providers = new ProvidersService(this.registry, this.states, this.admission, figures, access, policies);
    this.usage = new UsageService(usage, access);
    const trials = new TrialsService(requests, access, this.submissions, table);
    const known = (): string[] => Object.keys(policies());
    this.whatIf = new WhatIfService({ access, recorded, figures, usage, trials, providers: known });
    config.onActivate((active) => {
      this.follow(active);
    });
  }

  /** What activities are made of. */
  activities(): ActivityDependencies {
    const { bus, admission, states, registry, config } = this;
    const { cache, requests } = this.repositories;
    return {
      ...{ bus, admission, states, cache, requests },
      providers: registry,
      log: requestLog(this.foundation.log),
      get historyTokens() {
        return config.current().profile.limits.session_tokens;
      },
    };
  }

  /** What the HTTP edge calls. */
  edge(): Omit<ApiServices, 'health' | 'log'> {
    const { access, config, drain, keys, outcomes, providers, requests, routing, submissions, usage, whatIf } = this;
    return { access, config, drain, keys, outcomes, providers, requests, routing, submissions, usage, whatIf };
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

const defaultDao = (env: Env, config: LoadedConfig): string | undefined =>
  env.DAGI_DEFAULT_DAO ?? (isDevelopment(config) ? loadDevSeed().daos[0]?.id : undefined);

const poolsOf = ({ providers }: LoadedConfig['routing']): Pools =>
  Object.fromEntries(Object.entries(providers).map(([name, { pool }]) => [name, pool]));

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
