import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { requestLog } from '../activities/log.js';
import type { Env } from '../config/env.js';
import { loadConfig, type LoadedConfig } from '../config/loader.js';
import { loadDefaultRoles, loadDevSeed } from '../config/seed.js';
import { LlmRegistry } from './adapters/llm/registry.js';
import { AccessRepository } from './adapters/store/access.repository.js';
import { AuditRepository } from './adapters/store/audit.repository.js';
import { openEmbedded, openPostgres, type Database } from './adapters/store/database.js';
import { KeysRepository } from './adapters/store/keys.repository.js';
import { migrate } from './adapters/store/migrate.js';
import { RequestsRepository } from './adapters/store/requests.repository.js';
import { TemporalGateway } from './adapters/temporal/gateway.js';
import { installTemporalRuntime } from './adapters/temporal/telemetry.js';
import type { QueueWorkers } from './adapters/temporal/workers.js';
import { InProcessTokenBus } from './adapters/token-bus/in-process-bus.js';
import { ADMIN_PRINCIPAL } from './contracts/ids.js';
import { providersOf } from './domain/routing.js';
import { findAdminKey, type AdminKey } from './admin-key.js';
import { createLogger } from './log.js';
import { createApi } from './main.js';
import { AccessService } from './services/access.service.js';
import { DrainService } from './services/drain.service.js';
import { HealthService } from './services/health.service.js';
import { KeysService } from './services/keys.service.js';
import { OutcomesService } from './services/outcomes.service.js';
import { ReconcilerService } from './services/reconciler.service.js';
import { RequestsService } from './services/requests.service.js';
import { startWorkers } from './worker.js';

/** Most time that providers get to become ready, in milliseconds. */
const WARM_UP_MS = 60_000;

/** What a process was given from outside before it opened. */
export interface RuntimeParts {
  temporalAddress: string;
  /** Weights of the embedded model; undefined where it is not to be had. */
  modelPath: string | undefined;
  /** What the process is, in its log lines. */
  process?: string;
  /** Where its log lines go; standard output if absent. */
  logFile?: string | undefined;
}

/** Services, built once over the adapters. */
interface Services {
  access: AccessService;
  keys: KeysService;
  requests: RequestsService;
  outcomes: OutcomesService;
  reconciler: ReconcilerService;
  drain: DrainService;
}

/**
 * One process of the product: the composition root of everything. What it serves (API, workers) is added after it is
 * open; closing drains it.
 */
export class Runtime {
  private readonly bus = new InProcessTokenBus();
  private readonly requests: RequestsRepository;
  private readonly temporal: TemporalGateway;
  private readonly providers: LlmRegistry;
  private readonly services: Services;
  private workers: QueueWorkers | undefined;
  private api: NestFastifyApplication | undefined;

  constructor(
    private readonly env: Env,
    private readonly config: LoadedConfig,
    private readonly database: Database,
    private readonly log: Logger,
    parts: RuntimeParts,
  ) {
    this.requests = new RequestsRepository(database.db);
    this.providers = new LlmRegistry(
      config.providers.map((one) =>
        one.type === 'embedded' && parts.modelPath ? { modelPath: parts.modelPath, ...one } : one,
      ),
    );
    this.temporal = new TemporalGateway(
      {
        address: parts.temporalAddress,
        namespace: env.TEMPORAL_NAMESPACE,
        apiKey: env.TEMPORAL_API_KEY,
        tls: env.TEMPORAL_TLS,
      },
      log,
    );
    this.services = this.buildServices();
  }

  /** Serves HTTP. Resolves once it listens; by then the administrator's key opens it. */
  async startApi(listen: { host: string; port: number }): Promise<{ url: string; admin: AdminKey }> {
    const admin = await this.provideAdminKey();
    const { keys, requests, outcomes, drain } = this.services;
    const health = new HealthService(
      [
        { name: 'database', check: () => this.database.ping() },
        { name: 'temporal', check: () => this.temporal.ping() },
      ],
      providersOf(this.config.routing).all,
      (names) => this.providers.check(names),
      () => this.workers?.polling() ?? [],
      this.config.warnings,
    );
    this.api = await createApi({ requests, outcomes, keys, health, drain, log: this.log });
    await this.api.listen(listen.port, listen.host);
    void this.temporal.connection().then(
      () => {
        this.services.reconciler.start();
      },
      () => undefined,
    );
    return { url: (await this.api.getUrl()).replace('[::1]', '127.0.0.1'), admin };
  }

  /** Serves task queues, in the background. */
  startWorkers(queues: readonly string[]): void {
    const deps = {
      requests: this.requests,
      bus: this.bus,
      log: requestLog(this.log),
      historyTokens: this.config.profile.limits.session_tokens,
      providers: this.providers,
    };
    this.workers = startWorkers(this.temporal, queues, deps, this.log);
    void this.warmUp();
  }

  /** The administrator's key as given or kept; made and kept in DAGI_HOME on the first start in development. */
  private async provideAdminKey(): Promise<AdminKey> {
    const admin = findAdminKey(this.env, this.config.profile.environment);
    await this.services.keys.putAdminKey(admin.key);
    await new AccessRepository(this.database.db).grantPlatform(ADMIN_PRINCIPAL);
    return admin;
  }

  /** Takes no more work, lets running answers finish, tells waiting callers what there is, and closes everything. */
  async close(): Promise<void> {
    this.services.reconciler.stop();
    this.services.drain.refuse();
    await this.workers?.stop();
    this.services.drain.stop();
    await this.api?.close();
    this.bus.close();
    await this.providers.close();
    await this.temporal.close();
    await this.database.close();
  }

  /** Gets the providers to which rules lead first ready before the first question: libraries, and the embedded model. */
  private async warmUp(): Promise<void> {
    const first = new Set(providersOf(this.config.routing).first);
    const signal = AbortSignal.timeout(WARM_UP_MS);
    for (const name of first) {
      await this.providers.warmUp(name, signal).catch((error: unknown) => {
        this.log.warn({ provider: name, err: error }, 'a provider is not ready yet');
      });
    }
  }

  private buildServices(): Services {
    const { database, requests, temporal, bus, log, env, config } = this;
    const audit = new AuditRepository(database.db);
    const access = new AccessService(new AccessRepository(database.db), audit, defaultDao(env, config));
    const service = new RequestsService(requests, access, temporal, bus, config.routing, log);
    return {
      access,
      keys: new KeysService(new KeysRepository(database.db), access, audit),
      requests: service,
      outcomes: new OutcomesService(requests, temporal, bus),
      reconciler: new ReconcilerService(requests, service, log),
      drain: new DrainService(),
    };
  }
}

/**
 * Opens the database, brings it up to date and builds the process. Temporal is connected in the background.
 * @throws AppError `CONFIG_INVALID`, `HOME_LOCKED`, `SETUP_FAILED`, `STORE_UNAVAILABLE`
 */
export async function openRuntime(env: Env, parts: RuntimeParts): Promise<Runtime> {
  const config = loadConfig(env);
  const log = createLogger(parts.process ?? 'dagi', env.DAGI_LOG_LEVEL ?? config.profile.logging.level ?? 'info', {
    file: parts.logFile,
    rotation: config.profile.logging.rotation,
  });
  config.warnings.forEach((warning) => {
    log.warn({ profile: env.DAGI_PROFILE }, warning);
  });
  installTemporalRuntime(log);
  const database = await openDatabase(env);
  try {
    const applied = await migrateAndSeed(database, env, config);
    if (applied.length > 0) log.info({ applied }, 'database migrated');
    return new Runtime(env, config, database, log, parts);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openDatabase(env: Env): Promise<Database> {
  return env.DATABASE_URL ? openPostgres(env.DATABASE_URL) : openEmbedded(env.home);
}

async function migrateAndSeed(database: Database, env: Env, config: LoadedConfig): Promise<string[]> {
  const owner = env.DATABASE_MIGRATION_URL ? openPostgres(env.DATABASE_MIGRATION_URL, 1) : undefined;
  const applied = await migrate((owner ?? database).db).finally(() => owner?.close());
  if (isDevelopment(config)) {
    const access = new AccessRepository(database.db);
    for (const dao of loadDevSeed().daos) await access.createDao(dao, loadDefaultRoles());
  }
  return applied;
}

const isDevelopment = ({ profile }: LoadedConfig): boolean => profile.environment === 'development';

const defaultDao = (env: Env, config: LoadedConfig): string | undefined =>
  env.DAGI_DEFAULT_DAO ?? (isDevelopment(config) ? loadDevSeed().daos[0]?.id : undefined);
