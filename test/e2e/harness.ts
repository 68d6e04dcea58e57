import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadDefaultRoles } from '../../config/seed.js';
import { readEnv } from '../../config/env.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { openPostgres, type Database } from '../../src/adapters/store/database.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { SERVED_QUEUES } from '../../src/worker.js';
import { layEmbedded } from '../support/embedded-database.js';
import { freshDatabase } from '../support/postgres.js';
import { testCache } from '../support/sandbox.js';
import { temporalAddress } from '../support/temporal.js';
import type { WireFake } from '../fakes/wire-fake.js';

export const ADMIN_KEY = 'administrator-of-the-tests';
export const DAO = 'greenfood-dao';
const HOST = '127.0.0.1';

export interface ProductOptions {
  /** A profile as plain data. */
  profile: object;
  /** Further variables of the environment. */
  env?: NodeJS.ProcessEnv;
  /**
   * `embedded`: PGlite in the home folder, with the schema; `from nothing`: the same, made by the first start; `postgres`: a
   * fresh database of the tests' server; else a URL.
   */
  database?: string;
  temporalAddress?: string;
  modelPath?: string;
  /** Where it listens; any free port if absent or 0. */
  port?: number;
  /** Serves MCP, too. */
  mcp?: boolean;
}

/** Whatever the product answers with, as far as tests name it; a test's own matters decide what is there. */
export interface WireBody {
  ok: boolean;
  request_id: string;
  workflow_id: string;
  status: string;
  rule: string;
  provider: string | null;
  rbac: { roles: string[]; entitlements: string[] };
  data: { text: string; finish_reason: string };
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
  attempts: { provider: string; status: string; ms: number; error?: string }[];
  timings_ms: { gateway: number; rbac: number; queue: number; llm: number; total: number };
  error: { code: string; message: string } & Record<string, unknown>;
  keys: { id: string; revoked_at: string | null }[];
  dependencies: Record<string, { ok: boolean; reason?: string }>;
}

/** A call's answer, read to its end. */
export interface Reply {
  status: number;
  headers: Headers;
  body: WireBody;
}

export interface Call {
  /** Absent: the administrator's. Null: none. */
  key?: string | null;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** The product in this process, as `dagi up` composes it, on the servers of the tests and in a folder of its own. */
export class Product {
  url = '';
  /** Where it serves MCP. */
  mcpUrl = '';
  private runtime: Runtime | undefined;
  private store: Database | undefined;
  /** Kept over a restart, so that clients find it again. */
  private mcpPort = 0;

  private constructor(
    readonly home: string,
    private readonly options: ProductOptions,
    readonly databaseUrl: string | undefined,
    private readonly drop: () => Promise<void>,
  ) {}

  static async open(options: ProductOptions): Promise<Product> {
    const home = await mkdtemp(join(tmpdir(), 'dagi-test-e2e-'));
    const { database = 'postgres' } = options;
    const fresh = database === 'postgres' ? await freshDatabase() : undefined;
    const isEmbedded = ['embedded', 'from nothing'].includes(database);
    const url = fresh?.url ?? (isEmbedded ? undefined : database);
    if (database === 'embedded') await layEmbedded('migrated', home);
    const product = new Product(home, options, url, fresh?.drop ?? (() => Promise.resolve()));
    await writeFile(join(home, 'profile.yml'), JSON.stringify(options.profile));
    await product.start();
    return product;
  }

  get logFile(): string {
    return join(this.home, 'logs', 'dagi.log');
  }

  /** The database, beside the product's own connections. */
  get database(): Database {
    if (this.databaseUrl === undefined) throw new Error('the embedded database has one opener');
    return (this.store ??= openPostgres(this.databaseUrl, { poolSize: 2 }));
  }

  /** Starts it (again) and waits until it is ready, unless there is no Temporal to wait for. */
  async start(): Promise<void> {
    const { env = {}, modelPath } = this.options;
    const address = this.options.temporalAddress ?? temporalAddress();
    const variables = {
      DAGI_HOME: this.home,
      DAGI_CACHE: testCache(),
      DAGI_PROFILE: join(this.home, 'profile.yml'),
      DAGI_ADMIN_KEY: ADMIN_KEY,
      ...(this.databaseUrl === undefined ? {} : { DATABASE_URL: this.databaseUrl }),
      ...env,
    };
    const parts = { temporalAddress: address, modelPath, logFile: this.logFile };
    this.runtime = await openRuntime(readEnv(variables), parts);
    this.runtime.startWorkers(SERVED_QUEUES);
    this.url = (await this.runtime.startApi({ host: HOST, port: this.options.port ?? 0 })).url;
    if (this.options.mcp) this.mcpUrl = await this.runtime.startMcp({ host: HOST, port: this.mcpPort });
    this.mcpPort = this.mcpUrl === '' ? 0 : Number(new URL(this.mcpUrl).port);
    if (this.options.temporalAddress === undefined) await this.untilReady();
  }

  async untilReady(timeoutMs = 20_000): Promise<void> {
    await until(async () => (await this.call('GET', '/ready', { key: null })).status === 200, 'ready', timeoutMs);
  }

  /** Stops it as Ctrl-C does; its state stays. */
  async stop(): Promise<void> {
    await this.runtime?.close();
    this.runtime = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.store?.close();
    await this.drop();
    await rm(this.home, { recursive: true, force: true });
  }

  fetch(method: string, path: string, call: Call = {}, body?: string): Promise<Response> {
    const { key = ADMIN_KEY, headers = {}, signal } = call;
    const init: RequestInit = {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    };
    if (body !== undefined) init.body = body;
    if (signal) init.signal = signal;
    return fetch(`${this.url}${path}`, init);
  }

  async call(method: string, path: string, call: Call = {}, body?: unknown): Promise<Reply> {
    const response = await this.fetch(method, path, call, body === undefined ? undefined : JSON.stringify(body));
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) as WireBody };
  }

  /** A chat of a member of the seeded DAO, unless the metadata names somebody else. */
  route(prompt: string, metadata: object = {}, call: Call = {}): Promise<Reply> {
    return this.call('POST', '/route', call, { prompt, metadata: { user_id: 'tg:12345', ...metadata } });
  }

  /** Creates a key; gives the secret and the id. */
  async key(
    body: { name?: string; dao_id?: string; principal?: string },
    call: Call = {},
  ): Promise<{ key: string; id: string }> {
    const reply = await this.call('POST', '/keys', call, { name: 'of a test', ...body });
    if (reply.status !== 201) throw new Error(`no key: ${JSON.stringify(reply.body)}`);
    return reply.body as unknown as { key: string; id: string };
  }

  /** A DAO beside the seeded one, with the usual roles. */
  async createDao(id: string, members: Record<string, string[]>, facts: Record<string, string> = {}): Promise<void> {
    const dao = { id, name: `The ${id}`, facts, members };
    await new DaosRepository(this.database).create(dao, loadDefaultRoles());
  }

  /** By which id a DAO's record names a member. */
  async memberId(daoId: string, userId: string): Promise<string> {
    const found = this.database.of(daoId).selectFrom('identities').where('user_id', '=', userId).select('member_id');
    return (await found.executeTakeFirstOrThrow()).member_id;
  }

  /** Lines of the log so far, parsed. */
  async logLines(): Promise<Record<string, unknown>[]> {
    const lines = (await readFile(this.logFile, 'utf8')).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A provider of the profile that is a fake. */
export const fakeProvider = (name: string, fake: Pick<WireFake, 'url'>, config: object = {}): object => ({
  name,
  type: 'openai-compatible',
  config: { base_url: `${fake.url}/v1`, model: 'fake-model', retry_delay_ms: 50, ...config },
});

/** A profile whose chats go to `chain`. */
export const chatProfile = (providers: object[], chain: string[], limits: object = {}): object => ({
  version: '1',
  environment: 'development',
  llm_providers: providers,
  routing_rules: [
    {
      name: 'chat',
      conditions: { mode: 'chat' },
      use_provider: chain[0],
      ...(chain.length > 1 ? { fallback_provider: chain.slice(1) } : {}),
    },
  ],
  limits: { request_timeout_ms: 20_000, ...limits },
});

/** Waits until a condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
  timeoutMs = 10_000,
): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await sleep(10);
  }
}
