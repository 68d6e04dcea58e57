import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { cut, LoopbackServer, readAll } from '../loopback-server.js';
import { operationOf, problemsOf, type Operation } from './api.js';
import type { CallRecord, Command, Commands, DiscordDriver } from './commands.js';
import { Faults } from './faults.js';
import { publicKeyOf } from './keys.js';
import { Limits, type Verdict } from './limits.js';
import { perform, type Scene } from './operations.js';
import { badForm, DiscordRefusal, unauthorized, unknownMessage, unknownRoute } from './refusal.js';
import { Sender } from './sender.js';
import { DEFAULT_SETTINGS, type CallFault, type FakeDiscordSettings, type SettingsChange } from './settings.js';
import { DiscordStage } from './stage.js';
import { World } from './world.js';

const API = '/api/v10';
const BOT = 'Bot ';

interface Call {
  record: CallRecord;
  operation: Operation;
  body: unknown;
  response: ServerResponse;
  limit: string;
}

type Handlers = { [C in Command]: (input: Commands[C]['in']) => Commands[C]['out'] | Promise<Commands[C]['out']> };

/**
 * Discord for one application, over real sockets: its REST API, checked against Discord's own description of it, and the
 * sender of interactions. What code can do, another process can: `POST /control/COMMAND` with the same words as JSON.
 */
export class FakeDiscord implements DiscordDriver {
  settings: FakeDiscordSettings;
  readonly stage: DiscordStage = new DiscordStage(this);
  readonly world = new World(() => this.now());
  private calls: CallRecord[] = [];
  private blamed: string[] = [];
  private readonly limits = new Limits();
  private readonly faults: Faults;
  private readonly scene: Scene = {
    world: this.world,
    settings: () => this.settings,
    now: () => this.now(),
    blame: (what) => this.blamed.push(what),
  };
  private readonly sender = new Sender(this.scene);
  private readonly server: LoopbackServer;

  private constructor(change: SettingsChange) {
    this.settings = { ...DEFAULT_SETTINGS, ...change };
    this.faults = new Faults(() => this.settings);
    const failed = (response: ServerResponse, error: unknown): void => {
      if (!response.headersSent) reply(response, 500, { error: String(error) });
    };
    this.server = new LoopbackServer((request, response) => this.handle(request, response), failed);
  }

  /** @param port 0: any free one */
  static async start(change: SettingsChange = {}, port = 0): Promise<FakeDiscord> {
    const fake = new FakeDiscord(change);
    await fake.server.listen(port);
    return fake;
  }

  get url(): string {
    return this.server.url;
  }

  /** What the application takes for the root of the API. */
  get apiRoot(): string {
    return `${this.url}/api`;
  }

  get publicKey(): string {
    return publicKeyOf(this.settings.keySeed);
  }

  async act<C extends Command>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']> {
    const handler: Handlers[C] = this.handlers[command];
    return structuredClone(await handler(input));
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  private readonly handlers: Handlers = {
    facts: () => {
      const { applicationId, botToken } = this.settings;
      return { applicationId, botToken, publicKey: this.publicKey, apiRoot: this.apiRoot };
    },
    send: (sending) => this.sender.send(sending),
    set: (change) => {
      this.settings = { ...this.settings, ...change };
      return null;
    },
    fail: ({ faults }) => {
      this.faults.plan(...faults);
      return null;
    },
    reset: () => {
      this.calls = [];
      this.blamed = [];
      this.limits.reset();
      this.faults.reset();
      return null;
    },
    channel: ({ id, guild, isBotHere = true }) => {
      this.world.channel(id, guild).isBotHere = isBotHere;
      return null;
    },
    erase: ({ channel, id }) => {
      const message = this.world.message(channel, id);
      if (!message) throw unknownMessage();
      message.deletedAt = this.now();
      return null;
    },
    transcript: ({ channel }) => this.world.channel(channel).messages,
    typing: ({ channel }) => this.world.channel(channel).typing,
    registered: ({ guild = '' }) => this.world.commands.get(guild) ?? [],
    calls: ({ operation, of }) =>
      this.calls.filter((one) => (operation ?? one.operation) === one.operation && (of ?? one.of) === one.of),
    violations: () => [...this.blamed, ...this.limits.early],
  };

  private now(): number {
    return Date.now() + this.settings.aheadMs;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const text = await readAll(request);
    if (path.startsWith('/control/')) return this.control(path.slice('/control/'.length), text, response);
    const operation = path.startsWith(API) ? operationOf(request.method ?? '', path.slice(API.length)) : undefined;
    const record = this.begin(operation, request);
    try {
      if (!operation) throw unknownRoute();
      const body = parse(text);
      record.body = body;
      const limit = limitOf(operation);
      this.judge(operation, request, body);
      await this.answer({ record, operation, body, response, limit });
    } catch (error) {
      this.refuse(record, response, error);
    }
  }

  private async control(command: string, text: string, response: ServerResponse): Promise<void> {
    if (!(command in this.handlers)) {
      reply(response, 404, { error: `no command ${command}` });
      return;
    }
    try {
      const input = JSON.parse(text === '' ? '{}' : text) as Commands[Command]['in'];
      reply(response, 200, await this.act(command as Command, input));
    } catch (error) {
      reply(response, 400, { error: (error as Error).message });
    }
  }

  private begin(operation: Operation | undefined, { headers, method, url }: IncomingMessage): CallRecord {
    const { channel_id: channel, webhook_token: token, guild_id: guild } = operation?.params ?? {};
    const record: CallRecord = {
      ...{ at: this.now(), operation: operation?.id ?? `${method} ${url}`, body: undefined, status: 0, isDone: false },
      of: channel ?? (token === undefined ? (guild ?? '') : (this.world.interactions.get(token)?.id ?? 'unknown')),
      isByBot: headers.authorization !== undefined,
    };
    this.calls.push(record);
    return record;
  }

  /** Form first: a call that is wrong is wrong, whatever happens to it. */
  private judge({ id, isBots }: Operation, { headers }: IncomingMessage, body: unknown): void {
    if (isBots && headers.authorization !== `${BOT}${this.settings.botToken}`) throw unauthorized();
    if (!isBots && headers.authorization !== undefined)
      this.blamed.push(`${id}: it is opened by its address, and brought a token`);
    if (headers['user-agent']?.startsWith('DiscordBot (') !== true)
      this.blamed.push(`${id}: no user agent as Discord asks for`);
    const problems = problemsOf(id, body);
    if (problems.length > 0) throw badForm(problems.join('; '));
  }

  private async answer(call: Call): Promise<void> {
    const { record, operation, body, response, limit } = call;
    const fault = this.faults.take(operation.id);
    if (this.settings.latencyMs > 0) await sleep(this.settings.latencyMs);
    if (this.spoilsBefore(call, fault)) return;
    if (fault?.kind === 'delay') await sleep(fault.ms ?? 0);
    const verdict = this.count(operation, limit);
    const headers = headersOf(verdict);
    if (verdict.isOver) {
      record.status = 429;
      tooMany(response, verdict.resetMs, verdict.name === 'global', headers);
      return;
    }
    const result = perform(this.scene, operation, body);
    record.isDone = true;
    if (fault?.kind === 'reset-after') cut(response);
    else {
      record.status = result === undefined ? 204 : 200;
      reply(response, record.status, result, headers);
    }
  }

  /** The narrowest limit that is over, else that of the channel or the token. */
  private count({ isBots, id }: Operation, limit: string): Verdict {
    const { globalBucket, channelBucket, webhookBucket } = this.settings;
    const own = this.limits.count(limit, id, isBots ? channelBucket : webhookBucket);
    if (!isBots || own.isOver) return own;
    const all = this.limits.count('global', 'global', globalBucket);
    return all.isOver ? all : own;
  }

  /** Lets a call go wrong before anything is done. */
  private spoilsBefore({ record, response, limit }: Call, fault: CallFault | undefined): boolean {
    switch (fault?.kind) {
      case 'refuse':
        throw new DiscordRefusal(fault.status ?? 400, fault.code ?? 0, fault.message ?? 'refused by the test');
      case 'too-many':
        record.status = 429;
        this.tellToWait(response, limit, fault);
        return true;
      case 'error-500':
      case 'error-503':
        record.status = Number(fault.kind.slice(-3));
        response.writeHead(record.status, { 'content-type': 'text/html' }).end('<html>upstream connect error</html>');
        return true;
      case 'reset-before':
        cut(response);
        return true;
      default:
        return false;
    }
  }

  private tellToWait(response: ServerResponse, limit: string, { seconds = 1, isGlobal = false }: CallFault): void {
    const ms = seconds * 1_000;
    this.limits.close(isGlobal ? 'global' : limit, ms);
    tooMany(response, ms, isGlobal, {});
  }

  private refuse(record: CallRecord, response: ServerResponse, error: unknown): void {
    if (!(error instanceof DiscordRefusal)) throw error;
    const { status, code, message, isMalformed } = error;
    record.status = status;
    if (isMalformed) this.blamed.push(`${record.operation}: ${message}`);
    reply(response, status, { code, message });
  }
}

/** For a process of its own. */
export const startFakeDiscord = (settings: SettingsChange, port: number): Promise<FakeDiscord> =>
  FakeDiscord.start(settings, port);

/** By what calls are counted: each way of calling, for each channel, token or application. */
const limitOf = ({ id, params }: Operation): string =>
  `${id} ${params.channel_id ?? params.webhook_token ?? params.guild_id ?? params.application_id}`;

const headersOf = ({ bucket, name, remaining, resetMs }: Verdict): Record<string, string> => ({
  'x-ratelimit-limit': String(bucket.calls),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String((Date.now() + resetMs) / 1_000),
  'x-ratelimit-reset-after': String(resetMs / 1_000),
  'x-ratelimit-bucket': `bucket-of-${name}`,
});

function tooMany(response: ServerResponse, ms: number, isGlobal: boolean, headers: Record<string, string>): void {
  const body = { message: 'You are being rate limited.', retry_after: ms / 1_000, global: isGlobal };
  reply(response, 429, body, {
    ...headers,
    'retry-after': String(Math.ceil(ms / 1_000)),
    'x-ratelimit-reset-after': String(ms / 1_000),
    'x-ratelimit-scope': isGlobal ? 'global' : 'user',
    ...(isGlobal && { 'x-ratelimit-global': 'true' }),
  });
}

function reply(response: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void {
  if (body === undefined) response.writeHead(status, headers).end();
  else response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** @throws DiscordRefusal where it is no JSON */
function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DiscordRefusal(400, 50_109, 'The request body contains invalid JSON.', true);
  }
}
