import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { Env } from '../config/env.js';
import { loadConfig } from '../config/loader.js';
import { loadDefaultRoles, loadDevSeed } from '../config/seed.js';
import { RequestCounter } from './adapters/limits/request-counter.js';
import { ProfileFiles, withHash } from './adapters/profile-files.js';
import type { DaosRepository } from './adapters/store/daos.repository.js';
import { openEmbedded, openPostgres, type Database } from './adapters/store/database.js';
import { findSigningKey } from './adapters/signing-key.js';
import { PostgresSharedState } from './adapters/store/postgres-shared-state.js';
import { MemorySharedState } from './adapters/store/shared-state.js';
import { TemporalGateway } from './adapters/temporal/gateway.js';
import { installTemporalRuntime } from './adapters/temporal/telemetry.js';
import type { QueueWorkers } from './adapters/temporal/workers.js';
import { findAdminKey, type AdminKey } from './admin-key.js';
import { compose, isDevelopment, type Composition, type Foundation } from './compose.js';
import type { BotStanding } from './bots/telegram/telegram-bot.js';
import type { ConfigState } from './contracts/config-state.js';
import { ADMIN_PRINCIPAL, QUEUES } from './contracts/ids.js';
import type { SharedState } from './contracts/shared-state.js';
import { providersOf } from './domain/routing.js';
import { createLogger } from './log.js';
import { createApi } from './main.js';
import { HealthService } from './services/health.service.js';
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

/**
 * One process of the product. What it serves (API, workers) is added after it is open; closing drains it.
 */
export class Runtime {
  private workers: QueueWorkers | undefined;
  private api: NestFastifyApplication | undefined;
  private readonly onHangUp = (): void => {
    void this.parts.config.reload('SIGHUP');
  };

  constructor(
    private readonly foundation: Foundation,
    private readonly parts: Composition,
  ) {
    process.on('SIGHUP', this.onHangUp);
  }

  /** Serves HTTP. Resolves once it listens; by then the administrator's key opens it. */
  async startApi(listen: { host: string; port: number }): Promise<{ url: string; admin: AdminKey }> {
    const { parts, foundation } = this;
    const admin = await this.provideAdminKey();
    const health = new HealthService(
      [
        { name: 'database', check: () => foundation.database.ping() },
        { name: 'temporal', check: () => foundation.temporal.ping() },
      ],
      () => providersOf(parts.config.current().routing).all,
      (names) => parts.registry.check(names),
      () => this.workers?.polling() ?? [],
      async () => [...parts.config.warnings(), ...parts.auditHeads.warnings(), ...(await parts.dialogs.warnings.now())],
    );
    this.api = await createApi({ ...parts.edge(), health, log: foundation.log }, foundation.env.PUBLIC_URL);
    await this.api.listen(listen.port, listen.host);
    const { telegram } = parts.dialogs;
    telegram?.bot.start(telegram.mode);
    void foundation.temporal.keepSchedules();
    void foundation.temporal.connection().then(
      () => {
        parts.reconciler.start();
      },
      () => undefined,
    );
    return { url: (await this.api.getUrl()).replace('[::1]', '127.0.0.1'), admin };
  }

  /** Which profile runs, and what of it waits: for whoever started the process. */
  configOverview(): ConfigState {
    return this.parts.config.overview();
  }

  /** How the bot of Telegram stands, as soon as anything is known of it. Undefined: there is none. */
  telegramStanding(): Promise<BotStanding> | undefined {
    return this.parts.dialogs.telegram?.bot.standing;
  }

  /** Whether the DAO of development is there, with its people. */
  get isSeeded(): boolean {
    return isDevelopment(this.parts.config.current());
  }

  /** The DAO in which a first question makes sense: the usual one, else any. Undefined: there is none yet. */
  async anyDao(): Promise<string | undefined> {
    const { daos } = this.parts.repositories;
    const usual = this.parts.defaultDao();
    const found = usual === undefined ? undefined : await daos.find(usual);
    return found?.id ?? (await daos.page('', 1))[0]?.id;
  }

  /** Serves task queues, in the background. */
  startWorkers(queues: readonly string[]): void {
    const { temporal, log } = this.foundation;
    this.workers = startWorkers(temporal, queues, this.parts.activities(), log);
    void this.parts.admission.start();
    void this.warmUp();
    if (queues.includes(QUEUES.devtools)) void this.parts.devtools.warmUp();
  }

  /** The administrator's key as given or kept; made and kept in DAGI_HOME on the first start in development. */
  private async provideAdminKey(): Promise<AdminKey> {
    const { keys, repositories, config, dialogs } = this.parts;
    const admin = findAdminKey(this.foundation.env, config.current().profile.environment);
    await keys.putAdminKey(admin.key);
    if (dialogs.telegram ?? dialogs.discord) await keys.putBotsKey();
    await repositories.access.grantPlatform(ADMIN_PRINCIPAL);
    return admin;
  }

  /** Takes no more work, lets running answers finish, tells waiting callers what there is, and closes everything. */
  async close(): Promise<void> {
    const { parts, foundation } = this;
    process.off('SIGHUP', this.onHangUp);
    await parts.config.close();
    parts.reconciler.stop();
    await parts.dialogs.telegram?.bot.stop();
    parts.dialogs.discord?.acceptance.stop();
    parts.cancels.close();
    parts.drain.refuse();
    await parts.headStarts.drain();
    // Who waits for a place is taken up by another process, or by the next start.
    await parts.admission.close();
    await this.workers?.stop();
    parts.drain.stop();
    await this.api?.close();
    await parts.headStarts.close();
    await parts.access.close();
    parts.bus.close();
    await parts.registry.close();
    await foundation.temporal.close();
    await closeStores(foundation);
  }

  /** Gets the providers to which rules lead first ready before the first question: libraries, and the embedded model. */
  private async warmUp(): Promise<void> {
    const { registry, config } = this.parts;
    const signal = AbortSignal.timeout(WARM_UP_MS);
    for (const name of providersOf(config.current().routing).first) {
      await registry.warmUp(name, signal).catch((error: unknown) => {
        this.foundation.log.warn({ provider: name, err: error }, 'a provider is not ready yet');
      });
    }
  }
}

/**
 * Opens the database, brings it up to date and builds the process. Temporal is connected in the background.
 * @throws AppError `CONFIG_INVALID`, `HOME_LOCKED`, `SETUP_FAILED`, `STORE_UNAVAILABLE`
 */
export async function openRuntime(env: Env, given: RuntimeParts): Promise<Runtime> {
  const loaded = withHash(loadConfig(env));
  const log = createLogger(given.process ?? 'dagi', loaded.logLevel, {
    file: given.logFile,
    rotation: loaded.profile.logging.rotation,
  });
  loaded.warnings.forEach((warning) => {
    log.warn({ profile: env.DAGI_PROFILE }, warning);
  });
  installTemporalRuntime(log);
  const signingKey = findSigningKey(env, loaded.profile.environment);
  const database = await openDatabase(env);
  try {
    const applied = await database.migrate();
    if (applied.length > 0) log.info({ applied }, 'database migrated');
  } catch (error) {
    await database.close();
    throw error;
  }
  const foundation = { ...(await lay(env, log, database, given)), signingKey };
  try {
    const parts = await compose(foundation, loaded);
    if (isDevelopment(parts.config.current())) await seed(parts.repositories.daos);
    return new Runtime(foundation, parts);
  } catch (error) {
    await foundation.temporal.close();
    await closeStores(foundation);
    throw error;
  }
}

/** What several processes share is in PostgreSQL where there is one, and in memory where there is one process. */
async function lay(env: Env, log: Logger, database: Database, parts: RuntimeParts): Promise<Foundation> {
  const { DATABASE_URL: url, TEMPORAL_NAMESPACE: namespace, TEMPORAL_API_KEY: apiKey, TEMPORAL_TLS: tls } = env;
  const shared: SharedState = url ? await PostgresSharedState.open(database.vital, url, log) : new MemorySharedState();
  const counter = url ? RequestCounter.inPostgres(url, log) : RequestCounter.inMemory(log);
  const temporal = new TemporalGateway({ address: parts.temporalAddress, namespace, apiKey, tls }, log);
  return {
    env,
    log,
    database,
    shared,
    counter,
    temporal,
    files: new ProfileFiles(env, log),
    modelPath: parts.modelPath,
  };
}

async function closeStores({ shared, counter, database }: Foundation): Promise<void> {
  await shared.close();
  await counter.close();
  await database.close();
}

async function openDatabase({ DATABASE_URL: url, DATABASE_MIGRATION_URL: migrationUrl, home }: Env): Promise<Database> {
  return url ? openPostgres(url, { migrationUrl }) : openEmbedded(home);
}

/** The DAO that development starts with. */
async function seed(daos: DaosRepository): Promise<void> {
  for (const dao of loadDevSeed().daos) await daos.create(dao, loadDefaultRoles());
}
