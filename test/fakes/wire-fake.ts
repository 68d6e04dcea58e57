import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallLedger, digestOf } from './call-ledger.js';
import { Answer, paced, sendJson } from './fake-answer.js';
import { DEFAULT_SETTINGS } from './fake-dialect.js';
import type { ChatBody, Dialect, EmbeddingsBody, FakeSettings } from './fake-dialect.js';
import type { Fault } from './fake-faults.js';
import type { FakeCall } from './fake-stats.js';
import { FakeStats } from './fake-stats.js';
import { generatorOf, markerOf, say, textOf } from './fake-text.js';
import { LoopbackServer, readAll } from './loopback-server.js';
import { takeFault } from './planned-faults.js';

export type { Fault } from './fake-faults.js';
export type { FakeSettings } from './fake-dialect.js';

/**
 * A model endpoint over real sockets: deterministic answers, delays, faults on demand, and counters. What code can set,
 * another process can: `POST /__control {settings?, faults?, reset?}`, `GET /__stats` and `GET /__bodies`. `POST /__ledger
 * {after}` waits for entries of the ledger behind the first `after`.
 */
export class WireFake {
  settings: FakeSettings;
  stats = new FakeStats();
  /** Of chats, where the settings ask for it. */
  readonly ledger = new CallLedger();
  /** Bodies of the latest chats, oldest first. */
  bodies: ChatBody[] = [];
  /** The same of texts that were turned into vectors. */
  embeddingBodies: EmbeddingsBody[] = [];
  private draw: () => number;
  private faults: Fault[] = [];
  private readonly dialect: Dialect;
  private readonly server: LoopbackServer;

  private constructor(dialect: Dialect, settings: Partial<FakeSettings>) {
    this.dialect = dialect;
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    this.draw = generatorOf(this.settings.seed);
    this.server = new LoopbackServer((request, response) => this.handle(request, response));
  }

  static async start(dialect: Dialect, settings: Partial<FakeSettings>, port: number): Promise<WireFake> {
    const fake = new WireFake(dialect, settings);
    await fake.server.listen(port);
    return fake;
  }

  /** Address without a path. */
  get url(): string {
    return this.server.url;
  }

  /** The next calls misbehave, one fault after the other. */
  fail(...faults: Fault[]): void {
    this.faults.push(...faults);
  }

  /** Forgets faults, counters and bodies, and draws from the beginning; settings stay. */
  reset(): void {
    this.faults = [];
    this.stats = new FakeStats();
    this.bodies = [];
    this.embeddingBodies = [];
    this.draw = generatorOf(this.settings.seed);
  }

  async close(): Promise<void> {
    await this.server.close(() => {
      this.ledger.close();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { dialect, settings } = this;
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const method = request.method ?? 'GET';
    const text = await readAll(request);
    if (this.isOurs(path, response, text)) return;
    if (!this.admits(request)) this.refuse(response, 401, 'Incorrect API key provided', 'invalid_api_key');
    else if (method === 'POST' && path === dialect.chatPath) await this.chat(response, text);
    else if (method === 'POST' && path === dialect.embeddings?.path) await this.embed(response, text);
    else {
      const other = dialect.other(method, path, settings, text) ?? dialect.refusal(404, '404 page not found');
      sendJson(response, other.status, other.body);
    }
  }

  private admits({ headers }: IncomingMessage): boolean {
    const { apiKey } = this.settings;
    return apiKey === '' || headers.authorization === `Bearer ${apiKey}`;
  }

  /** Answers what is about the fake itself. */
  private isOurs(path: string, response: ServerResponse, text: string): boolean {
    if (path === '/__stats') sendJson(response, 200, this.stats);
    else if (path === '/__bodies') sendJson(response, 200, { chats: this.bodies, embeddings: this.embeddingBodies });
    else if (path === '/__control') this.control(response, text);
    else if (path === '/__ledger') void this.tellLedger(response, text);
    else return false;
    return true;
  }

  private refuse(response: ServerResponse, status: number, message: string, code?: string): void {
    sendJson(response, status, this.dialect.refusal(status, message, code).body);
  }

  private control(response: ServerResponse, text: string): void {
    const { settings, faults, reset } = JSON.parse(text || '{}') as {
      settings?: Partial<FakeSettings>;
      faults?: Fault[];
      reset?: boolean;
    };
    this.settings = { ...this.settings, ...settings };
    if (reset) this.reset();
    this.fail(...(faults ?? []));
    sendJson(response, 200, { settings: this.settings, faults: this.faults });
  }

  private async tellLedger(response: ServerResponse, text: string): Promise<void> {
    const { after } = JSON.parse(text) as { after: number };
    sendJson(response, 200, await this.ledger.after(after));
  }

  private async chat(response: ServerResponse, text: string): Promise<void> {
    const { dialect, settings, stats } = this;
    const raw = parseObject(text);
    const refused = raw ? dialect.refuse(raw, settings) : dialect.refusal(400, 'the body is not a JSON object');
    if (refused) {
      sendJson(response, refused.status, refused.body);
      return;
    }
    const body = raw as ChatBody;
    this.bodies = [...this.bodies.slice(1 - settings.keptBodies), body];
    const messages = body.messages.map(({ role, content }) => ({ role, content: textOf(content) }));
    const prompt = messages.at(-1)?.content ?? '';
    const call = this.begin(response, prompt, settings.ledger ? this.ledger.begin(digestOf(messages)) : undefined);
    const plain = say(body.model, messages, settings.tokens, dialect.maxTokens(body));
    const said = dialect.enrich?.(plain, body, settings) ?? plain;
    const fault = this.takeFault(prompt);
    const own = paced(settings, this.draw);
    await new Answer({ dialect, settings: own, stats, call, response, body, said, fault }).run();
  }

  private async embed(response: ServerResponse, text: string): Promise<void> {
    const { dialect, settings, stats } = this;
    const raw = parseObject(text) as Partial<EmbeddingsBody> | undefined;
    const refused = raw ? dialect.embeddings?.refuse(raw, settings) : dialect.refusal(400, 'no JSON object');
    if (refused) {
      sendJson(response, refused.status, refused.body);
      return;
    }
    const body = raw as EmbeddingsBody;
    this.embeddingBodies = [...this.embeddingBodies.slice(1 - settings.keptBodies), body];
    const prompt = [body.input].flat()[0] ?? '';
    const call = this.begin(response, prompt);
    const fault = this.takeFault(prompt);
    const whole = dialect.embeddings?.answer(body, settings);
    const said = { ...say(body.model, [], 0, 0), tokens: [] };
    const asked: ChatBody = { model: body.model, messages: [], stream: false };
    const own = paced(settings, this.draw);
    await new Answer({ dialect, settings: own, stats, call, response, body: asked, said, fault, whole }).run();
  }

  private takeFault(prompt: string): Fault | undefined {
    return takeFault(this.faults, ({ match }) => match === undefined || prompt.includes(match));
  }

  private begin(response: ServerResponse, prompt: string, tell?: FakeCall['tell']): FakeCall {
    const { stats } = this;
    const call = stats.begin(markerOf(prompt), tell);
    response.once('close', () => {
      stats.close(call);
    });
    return call;
  }
}

function parseObject(text: string): Partial<ChatBody> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
