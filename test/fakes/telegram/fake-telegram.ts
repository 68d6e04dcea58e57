import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { cut, LoopbackServer, readAll } from '../loopback-server.js';
import { problemsOf } from './bot-api.js';
import type { Params } from './bot-api.js';
import type { CallRecord, Command, Commands, TelegramDriver } from './commands.js';
import { isCommand, obey } from './control.js';
import { Faults } from './faults.js';
import { Floods } from './floods.js';
import { perform } from './methods.js';
import { Observations } from './observations.js';
import { Polling } from './polling.js';
import { Refusal } from './refusal.js';
import type { Scene } from './scene.js';
import { changed, DEFAULT_SETTINGS } from './settings.js';
import type { CallFault, FakeTelegramSettings, SettingsChange } from './settings.js';
import { TelegramStage } from './stage.js';
import { UpdateQueue } from './updates.js';
import { Watcher } from './watcher.js';
import { Webhook } from './webhook.js';
import { World } from './world.js';

const HTML = '<html>\r\n<head><title>500 Internal Server Error</title></head>\r\n<body></body>\r\n</html>\r\n';
const PATH = /^\/bot([^/]+)\/(\w+)$/;
const FILE = /^\/file\/bot([^/]+)\/(.+)$/;

interface Call {
  record: CallRecord;
  response: ServerResponse;
  gone: AbortSignal;
  fault: CallFault | undefined;
}

/**
 * The server of the Bot API for one bot, over real sockets: strict where the real one is lenient, and all its people and
 * faults at hand by `stage`. What code can do, another process can: `POST /control/COMMAND` with the same words as JSON.
 */
export class FakeTelegram implements TelegramDriver {
  settings: FakeTelegramSettings;
  /** People, groups, faults, and everything that was seen. */
  readonly stage: TelegramStage = new TelegramStage(this);
  readonly seen = new Observations();
  readonly floods = new Floods();
  readonly faults: Faults;
  readonly scene: Scene;
  readonly watcher = new Watcher();
  private readonly server: LoopbackServer;

  private constructor(change: SettingsChange) {
    this.settings = changed(DEFAULT_SETTINGS, change);
    const settings = (): FakeTelegramSettings => this.settings;
    this.faults = new Faults(settings);
    this.scene = this.newScene(settings);
    const failed = (response: ServerResponse, error: unknown): void => {
      if (!response.headersSent) reply(response, 500, { error: String(error) });
    };
    this.server = new LoopbackServer((request, response) => this.handle(request, response), failed);
  }

  /** @param port 0: any free one */
  static async start(change: SettingsChange = {}, port = 0): Promise<FakeTelegram> {
    const fake = new FakeTelegram(change);
    await fake.server.listen(port);
    return fake;
  }

  /** What the bot takes for the root of the API. */
  get url(): string {
    return this.server.url;
  }

  async act<C extends Command>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']> {
    const out = await obey(this, command, input);
    if (command !== 'wait') this.watcher.changed();
    return out;
  }

  change(settings: SettingsChange): void {
    this.settings = changed(this.settings, settings);
  }

  async close(): Promise<void> {
    await this.server.close(() => {
      this.scene.webhook.close();
      this.scene.polling.end('the fake is closing');
      this.scene.queue.clear();
    });
  }

  private newScene(settings: () => FakeTelegramSettings): Scene {
    const { token, username } = settings();
    const bot = { id: Number(token.split(':')[0]), is_bot: true, first_name: 'DAGI', username };
    const handOver = (): void => {
      webhook.pump();
      polling.wake();
    };
    const queue = new UpdateQueue((fault) => this.faults.spoils(fault), handOver);
    const polling = new Polling(queue, settings);
    const webhook = new Webhook(queue, settings, () => this.watcher.changed());
    const memory = { presses: new Map(), commands: new Map(), files: new Map() };
    return { world: new World(bot), queue, polling, webhook, ...memory, settings };
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const text = await readAll(request);
    const [, token, method] = PATH.exec(path) ?? [];
    if (path.startsWith('/control/')) await this.control(path.slice('/control/'.length), text, response);
    else if (method !== undefined) await this.call(token, method, text, response);
    else this.file(path, response);
  }

  private async control(command: string, text: string, response: ServerResponse): Promise<void> {
    if (!isCommand(command)) {
      reply(response, 404, { error: `no command ${command}` });
      return;
    }
    try {
      reply(response, 200, await this.act(command, JSON.parse(text || '{}') as never));
    } catch (error) {
      reply(response, 400, { error: (error as Error).message });
    }
  }

  private file(path: string, response: ServerResponse): void {
    const [, token, name = ''] = FILE.exec(path) ?? [];
    const bytes = token === this.settings.token ? this.scene.files.get(name) : undefined;
    if (bytes) response.end(bytes);
    else reply(response, 404, { ok: false, error_code: 404, description: 'Not Found' });
  }

  private async call(token: string | undefined, method: string, text: string, response: ServerResponse): Promise<void> {
    const params = parse(text);
    const record: CallRecord = { at: Date.now(), method, chat: chatOf(params), params, status: 0, done: false };
    this.seen.begin(record);
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort();
    });
    const call = { record, response, gone: gone.signal, fault: undefined };
    try {
      this.judge(token, method, params);
      await this.answer({ ...call, fault: this.faults.take(method, record.chat) });
    } catch (error) {
      this.refuse(call, error);
    } finally {
      this.watcher.changed();
    }
  }

  /** Form first: a call that is wrong is wrong, whatever happens to it. */
  private judge(token: string | undefined, method: string, params: Params): void {
    if (token !== this.settings.token) throw new Refusal(401, 'Unauthorized');
    const problems = problemsOf(method, params);
    if (!problems) throw new Refusal(404, 'Not Found: method not found', undefined, true);
    if (problems.length > 0) throw new Refusal(400, `Bad Request: ${problems.join('; ')}`, undefined, true);
  }

  private async answer(call: Call): Promise<void> {
    const { record, response, fault, gone } = call;
    if (fault) record.fault = fault.kind;
    if (this.settings.latencyMs > 0) await sleep(this.settings.latencyMs);
    if (this.spoilsBefore(call)) return;
    if (fault?.kind === 'delay') await sleep(fault.ms ?? this.settings.chanceDelayMs);
    const { method, chat, params } = record;
    this.floods.admit({ method, chat, isGroup: chat !== undefined && chat < 0 }, this.settings.limits);
    const result = await perform(this.scene, method, params, gone);
    record.done = true;
    if (fault?.kind === 'reset-after') cut(response);
    else if (fault?.kind !== 'hang-after') {
      record.status = 200;
      reply(response, 200, { ok: true, result });
    }
  }

  /** Lets a call go wrong before anything is done. */
  private spoilsBefore({ record, response, fault }: Call): boolean {
    switch (fault?.kind) {
      case 'too-many':
        throw this.floods.told(record, fault.seconds ?? this.settings.chanceRetryAfter);
      case 'refuse':
        throw new Refusal(fault.code ?? 400, fault.description ?? 'Bad Request: refused');
      case 'error-502':
        throw new Refusal(502, 'Bad Gateway');
      case 'error-500':
        record.status = 500;
        response.writeHead(500, { 'content-type': 'text/html' }).end(HTML);
        return true;
      case 'reset-before':
        cut(response);
        return true;
      default:
        return fault?.kind === 'hang-before';
    }
  }

  private refuse({ record, response }: Call, error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    record.status = error.code;
    if (error.malformed) this.seen.violations.push(`${record.method}: ${error.message}`);
    reply(response, error.code, error.body);
  }
}

/** For a process of its own. */
export const startFakeTelegram = (settings: SettingsChange, port: number): Promise<FakeTelegram> =>
  FakeTelegram.start(settings, port);

function reply(response: ServerResponse, status: number, body: object | null | string | number): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Parameters of a call; what is no JSON object has none, and misses what it needs. */
function parse(text: string): Params {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Params) : { body: text };
  } catch {
    return { body: text };
  }
}

function chatOf({ chat_id: chat }: Params): number | undefined {
  const id = typeof chat === 'string' ? Number(chat) : chat;
  return Number.isSafeInteger(id) ? (id as number) : undefined;
}
