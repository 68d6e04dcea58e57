import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatBody, Delay, Dialect, FakeSettings } from './fake-dialect.js';
import type { Fault } from './fake-faults.js';
import type { FakeCall, FakeStats } from './fake-stats.js';
import type { Said } from './fake-text.js';

/** Settings with the delays that one request has drawn. */
export type PacedSettings = Omit<FakeSettings, 'firstTokenMs' | 'tokenMs'> & { firstTokenMs: number; tokenMs: number };

/** @param draw a number from 0 to below 1 */
export function paced(settings: FakeSettings, draw: () => number): PacedSettings {
  const ms = (delay: Delay): number =>
    typeof delay === 'number' ? delay : delay[0] + Math.round(draw() * (delay[1] - delay[0]));
  return { ...settings, firstTokenMs: ms(settings.firstTokenMs), tokenMs: ms(settings.tokenMs) };
}

export interface AnswerParts {
  dialect: Dialect;
  settings: PacedSettings;
  stats: FakeStats;
  call: FakeCall;
  response: ServerResponse;
  body: ChatBody;
  said: Said;
  fault: Fault | undefined;
  /** The answer in one piece, where it is none to a chat. */
  whole?: unknown;
}

const SILENT: readonly (string | undefined)[] = ['empty', 'thinking-only'];

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers?: Record<string, string>,
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Sends one answer, or what a fault makes of it. */
export class Answer {
  private readonly parts: AnswerParts;

  constructor(parts: AnswerParts) {
    this.parts = parts;
  }

  async run(): Promise<void> {
    const { dialect, body, said, settings, stats, call, response } = this.parts;
    if (this.spoiledBeforeHeaders()) return;
    stats.start(call);
    if (!(body.stream ?? dialect.streamsByDefault)) {
      await this.pause(settings.firstTokenMs + settings.tokenMs * Math.max(0, said.tokens.length - 1));
      stats.complete(call);
      sendJson(response, 200, this.parts.whole ?? dialect.whole(said));
      return;
    }
    response.writeHead(200, { 'content-type': dialect.streamType });
    if (this.parts.fault?.kind === 'reset-after-headers') {
      response.flushHeaders();
      await sleep(5);
      this.reset();
      return;
    }
    await this.stream();
  }

  /** Faults that come instead of an answer. */
  private spoiledBeforeHeaders(): boolean {
    const { fault, dialect, response } = this.parts;
    if (!fault) return false;
    const { kind, status = 500, headers = {}, message = 'a fault on demand', code, param } = fault;
    if (kind === 'status') {
      const { body } = dialect.refusal(status, message, code, param);
      this.endedByUs();
      sendJson(response, status, body, headers);
    } else if (kind === 'html-502') {
      this.endedByUs();
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>502 Bad Gateway</h1></html>');
    } else if (kind === 'reset-before-headers') this.reset();
    else return kind === 'hang-before-headers';
    return true;
  }

  private async stream(): Promise<void> {
    const { dialect, said, settings, fault, response, stats, call, body } = this.parts;
    await this.pause(settings.firstTokenMs);
    await this.write(dialect.head(said));
    if (fault?.kind === 'thinking-only') await this.write(dialect.thinking(said, 'hm'));
    if ((await this.thinking()) || (await this.tokens()) || (await this.calls()) || call.closed) return;
    stats.complete(call);
    await this.write(dialect.tail(said, body, fault?.kind !== 'no-usage'), true);
    response.end();
  }

  /** Sends what the model thinks. True: the client is gone. */
  private async thinking(): Promise<boolean> {
    const { dialect, said, settings, fault, call } = this.parts;
    for (const token of SILENT.includes(fault?.kind) ? [] : (said.reasoning ?? [])) {
      if (call.closed) return true;
      await this.write(dialect.thinking(said, token));
      await this.pause(settings.tokenMs);
    }
    return false;
  }

  /** Sends calls of tools. True: the client is gone. */
  private async calls(): Promise<boolean> {
    const { dialect, said, settings, fault, call } = this.parts;
    for (const piece of SILENT.includes(fault?.kind) ? [] : (dialect.calls?.(said) ?? [])) {
      if (call.closed) return true;
      await this.write(piece);
      await this.pause(settings.tokenMs);
    }
    return false;
  }

  /** Sends the tokens. True: a fault ended the answer. */
  private async tokens(): Promise<boolean> {
    const { dialect, said, settings, fault, call } = this.parts;
    if (SILENT.includes(fault?.kind)) return false;
    const afterTokens = Math.min(fault?.afterTokens ?? 2, said.tokens.length);
    for (const [index, token] of said.tokens.entries()) {
      if (index === afterTokens && (await this.spoiledMidStream())) return true;
      if (index > 0) await this.pause(settings.tokenMs);
      if (call.closed) return true;
      await this.write(dialect.token(said, token));
    }
    return afterTokens === said.tokens.length && this.spoiledMidStream();
  }

  /** Faults in the middle of the stream. True: the answer is over. */
  private async spoiledMidStream(): Promise<boolean> {
    const { fault, dialect, response } = this.parts;
    await fault?.until;
    switch (fault?.kind) {
      case 'hang-mid-stream':
        return true;
      case 'reset-mid-stream':
        // The tokens before it must have left the machine, or the client sees a reset before headers.
        await sleep(20);
        this.reset();
        return true;
      case 'error-mid-stream':
        this.endedByUs();
        response.end(dialect.streamError(fault.message ?? 'a fault on demand', fault.code));
        return true;
      case 'bad-json':
        this.endedByUs();
        response.end(dialect.token(this.parts.said, 'x').replace('{', '{{'));
        return true;
      case 'end-early':
        this.endedByUs();
        response.end();
        return true;
      default:
        return false;
    }
  }

  private endedByUs(): void {
    this.parts.call.spoiled = true;
  }

  private reset(): void {
    this.endedByUs();
    this.parts.response.socket?.resetAndDestroy();
  }

  /** With `whole` everything leaves in one packet, when it is complete. */
  private held = '';

  private async write(text: string, last = false): Promise<void> {
    const { response, settings } = this.parts;
    if (settings.packets === 'token') {
      response.write(text);
      return;
    }
    this.held += text;
    if (settings.packets === 'whole') {
      if (last) response.write(this.held);
      return;
    }
    for (const byte of Buffer.from(text)) {
      response.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private async pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms);
  }
}
