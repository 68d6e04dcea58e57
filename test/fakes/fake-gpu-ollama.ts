import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './fake-answer.js';
import { DEFAULT_SETTINGS } from './fake-dialect.js';
import type { ChatBody, FakeSettings } from './fake-dialect.js';
import { OLLAMA } from './fake-ollama.js';
import { markerOf, say } from './fake-text.js';
import type { Said } from './fake-text.js';
import { fateOf, Gpu } from './gpu-model.js';
import type { Generation, GpuSettings } from './gpu-model.js';
import { GpuStats } from './gpu-stats.js';
import type { Asker, HeldCall } from './gpu-stats.js';
import { LoopbackServer, readAll } from './loopback-server.js';

/** How often the card is looked at, in milliseconds. */
const TICK_MS = 10;

/** An answer on the card, and where it goes. */
interface Running {
  generation: Generation;
  said: Said;
  response: ServerResponse;
  stream: boolean;
  sent: number;
  call: HeldCall;
}

/**
 * An Ollama host whose answers share one graphics card: they slow each other down, and now and then one hangs. Who is
 * served is read from the prompt (`#marker dao=… member=…`). `GET /__stats`, `POST /__control {settings?, reset?}`.
 */
export class FakeGpuOllama {
  private readonly gpu: Gpu;
  private readonly wire: FakeSettings;
  private stats = new GpuStats();
  private readonly running = new Set<Running>();
  private readonly asked = new Map<string, number>();
  private readonly server: LoopbackServer;
  private timer: NodeJS.Timeout | undefined;
  private lastTick = 0;

  private constructor(settings: Partial<GpuSettings & FakeSettings>) {
    this.gpu = new Gpu(settings);
    this.wire = { ...DEFAULT_SETTINGS, ...settings };
    this.server = new LoopbackServer((request, response) => this.handle(request, response));
  }

  static async start(settings: Partial<GpuSettings & FakeSettings>, port: number): Promise<FakeGpuOllama> {
    const fake = new FakeGpuOllama(settings);
    await fake.server.listen(port);
    return fake;
  }

  get url(): string {
    return this.server.url;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.server.close();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const method = request.method ?? 'GET';
    const text = await readAll(request);
    if (path === '/__stats') sendJson(response, 200, this.stats.snapshot(performance.now()));
    else if (path === '/__control') this.control(response, text);
    else if (method === 'POST' && path === OLLAMA.chatPath) this.chat(response, text);
    else {
      const other = OLLAMA.other(method, path, this.wire, text) ?? OLLAMA.refusal(404, '404 page not found');
      sendJson(response, other.status, other.body);
    }
  }

  private control(response: ServerResponse, text: string): void {
    const { settings, reset } = JSON.parse(text || '{}') as { settings?: Partial<GpuSettings>; reset?: boolean };
    this.gpu.settings = { ...this.gpu.settings, ...settings };
    if (reset) {
      this.stats = new GpuStats();
      this.asked.clear();
    }
    sendJson(response, 200, { settings: this.gpu.settings });
  }

  private chat(response: ServerResponse, text: string): void {
    const body = JSON.parse(text) as ChatBody;
    const refused = OLLAMA.refuse(body, this.wire);
    if (refused) {
      sendJson(response, refused.status, refused.body);
      return;
    }
    const prompt = body.messages.at(-1)?.content ?? '';
    const marker = markerOf(prompt);
    const asked = (this.asked.get(marker) ?? 0) + 1;
    this.asked.set(marker, asked);
    const fate = fateOf(this.gpu.settings, marker, asked);
    if (fate.kind === 'refuse') {
      this.stats.refused++;
      sendJson(response, 503, { error: 'server busy, please try again.  maximum pending requests exceeded' });
      return;
    }
    const call = this.hold(marker, askerOf(prompt), response);
    if (fate.kind === 'hang') this.stats.hung++;
    else this.answer(response, body, say(body.model, body.messages, fate.tokens, OLLAMA.maxTokens(body)), call);
  }

  /** Counts the call until its client is gone, if it has not ended before. */
  private hold(marker: string, asker: Asker, response: ServerResponse): HeldCall {
    const { stats } = this;
    const call = stats.begin(marker, asker, performance.now());
    response.once('close', () => {
      stats.end(call, 'aborted', performance.now());
    });
    return call;
  }

  private answer(response: ServerResponse, body: ChatBody, said: Said, call: HeldCall): void {
    // Time up to now belongs to those that were here before.
    this.tick();
    const promptTokens = (body.messages.at(-1)?.content ?? '').split(/\s+/).length;
    const generation = this.gpu.start(promptTokens, said.tokens.length);
    const one: Running = { generation, said, response, stream: body.stream ?? true, sent: 0, call };
    this.running.add(one);
    response.once('close', () => {
      this.forget(one);
    });
    if (one.stream) response.writeHead(200, { 'content-type': OLLAMA.streamType }).flushHeaders();
    this.timer ??= setInterval(() => {
      this.tick();
    }, TICK_MS);
  }

  private tick(): void {
    const now = performance.now();
    if (this.running.size > 0) {
      this.gpu.advance((now - this.lastTick) / 1000);
      this.stats.longestGapMs = Math.max(this.stats.longestGapMs, now - this.lastTick);
    }
    this.lastTick = now;
    for (const one of this.running) this.hand(one, now);
    if (this.running.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Sends what is new of an answer. */
  private hand(one: Running, now: number): void {
    const { generation, said, response, stream } = one;
    const fresh = said.tokens.slice(one.sent, generation.made);
    one.sent = generation.made;
    this.stats.tokens += fresh.length;
    if (stream && fresh.length > 0) response.write(fresh.map((token) => OLLAMA.token(said, token)).join(''));
    if (!generation.over) return;
    // The card is free before the client reads the end, or it could be seen to have one more than it has.
    this.stats.end(one.call, 'completed', now);
    this.forget(one);
    if (stream) response.end(OLLAMA.tail(said, { model: said.model, messages: [] }, true));
    else sendJson(response, 200, OLLAMA.whole(said));
  }

  private forget(one: Running): void {
    this.running.delete(one);
    this.gpu.stop(one.generation);
  }
}

/** An Ollama host with a card of its own. */
export const startFakeGpuOllama = (
  settings: Partial<GpuSettings & FakeSettings> = {},
  port = 0,
): Promise<FakeGpuOllama> => FakeGpuOllama.start(settings, port);

function askerOf(prompt: string): Asker {
  const named = (name: string): string => new RegExp(`\\b${name}=([\\w:.-]+)`).exec(prompt)?.[1] ?? '?';
  return { dao: named('dao'), member: named('member') };
}
