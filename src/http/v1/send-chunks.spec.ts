import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import type { RequestBody } from '../../contracts/bodies.js';
import type { PositionedEvent, RequestEvent } from '../../contracts/events.js';
import { AppError } from '../../errors/app-error.js';
import { ChatChunks } from './chat-chunks.js';
import { Chunks } from './chunks.js';
import { Unanswered, type Answer } from './outcome.js';
import { CHUNK_LIMITS, sendChunks, type ChunkLimits } from './send-chunks.js';

const at = (event: RequestEvent): PositionedEvent => ({ ...event, position: { generation: 1, offset: 0 } });
const token = (text: string): PositionedEvent => at({ type: 'token', data: { text } });
const done = (text: string): PositionedEvent =>
  at({
    type: 'done',
    data: { ok: true, mode: 'chat', data: { text, finish_reason: 'stop' }, usage: null } as RequestBody,
  });
const failed: PositionedEvent = at({
  type: 'error',
  data: { ok: false, error: { code: 'PROVIDER_FAILED', message: 'No.' } } as RequestBody,
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

type Produce = (gone: AbortSignal) => AsyncIterable<PositionedEvent>;

describe(sendChunks.name, () => {
  let server: FastifyInstance;
  let port: number;
  let produce: Produce;
  let limits: ChunkLimits;
  let outcome: Promise<void> | undefined;

  beforeEach(async () => {
    outcome = undefined;
    limits = CHUNK_LIMITS;
    server = fastify();
    server.get('/', async (_request, reply) => {
      void reply.header('x-request-id', 'r1');
      const head = { id: 'chatcmpl-1', created: 1, model: 'm' };
      outcome = sendChunks(
        reply,
        new Chunks(new ChatChunks(head, { functions: false }), false),
        { produce, unfinished },
        limits,
      );
      await outcome.catch(async (error: unknown) => {
        if (!reply.raw.headersSent) await reply.status(502).send(error instanceof Unanswered ? 'unanswered' : 'broken');
      });
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    ({ port } = server.server.address() as AddressInfo);
  });
  afterEach(async () => {
    server.server.closeAllConnections();
    await server.close();
  });

  const unfinished = (): Answer => {
    throw new Unanswered(new AppError('SHUTTING_DOWN'));
  };
  const get = (): Promise<Response> => fetch(`http://127.0.0.1:${port}/`);
  const framesOf = (text: string): string[] => text.trimEnd().split('\n\n');

  it('tells in its head who answers, where that is known when it is opened', async () => {
    const attempt = (provider: string): PositionedEvent => at({ type: 'attempt', data: { provider, generation: 1 } });
    produce = async function* () {
      yield attempt('first');
      yield attempt('second');
      yield token('a');
      yield attempt('too late');
      yield done('a');
    };
    expect((await get()).headers.get('x-dagi-provider')).toBe('second');
  });

  it('sends data lines alone, and [DONE] at the end', async () => {
    produce = async function* () {
      yield token('a\r\nb');
      yield done('a\r\nb');
    };
    const response = await get();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect([response.headers.get('x-request-id'), response.headers.get('cache-control')]).toEqual(['r1', 'no-store']);
    const text = await response.text();
    expect(text).not.toContain('\r');
    const frames = framesOf(text);
    expect(frames.every((frame) => /^data: .+$/.test(frame))).toBe(true);
    expect(frames).toHaveLength(4);
    expect(frames.at(-1)).toBe('data: [DONE]');
  });

  it('leaves it to the caller to answer a failure before there was anything to tell', async () => {
    produce = async function* () {
      yield failed;
    };
    const response = await get();
    expect([response.status, await response.text()]).toEqual([502, 'unanswered']);
  });

  it('ends with an error, and without [DONE], where it fails after that', async () => {
    produce = async function* () {
      yield token('a');
      yield failed;
    };
    const frames = framesOf(await (await get()).text());
    expect(frames).toHaveLength(3);
    expect(JSON.parse(frames[2]!.slice('data: '.length))).toEqual({
      error: { message: 'No.', type: 'server_error', param: null, code: 'provider_failed' },
    });
    await expect(outcome).resolves.toBeUndefined();
  });

  it('tells of a fault of ours without its words, and passes it on', async () => {
    produce = async function* () {
      yield token('a');
      throw new Error('secret');
    };
    const text = await (await get()).text();
    expect(text).toContain('"code":"internal"');
    expect(text).not.toMatch(/secret|DONE/);
    await expect(outcome).rejects.toThrow('secret');
  });

  it('is no whole answer where the events end before the request does', async () => {
    produce = async function* () {
      yield token('a');
    };
    expect(await (await get()).text()).toContain('"code":"shutting_down"');
  });

  it('opens after a while even if there is nothing to tell, and stays alive with comments', async () => {
    limits = { ...CHUNK_LIMITS, openMs: 5, keepAliveMs: 5 };
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    produce = async function* () {
      await held;
      yield failed;
    };
    const response = await get();
    expect(response.status).toBe(200);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toMatch(/^(: keep-alive\n\n)+$/);
    go();
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
    expect(rest).toMatch(/^(: keep-alive\n\n)*data: \{"error":.*\}\n\n$/);
  });

  it('ends without an error where the reader goes away', async () => {
    let seen: AbortSignal | undefined;
    produce = async function* (gone) {
      seen = gone;
      yield token('a');
      await once(gone, 'abort');
    };
    const client = connect(port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(client, 'data');
    client.destroy();
    await until(() => seen?.aborted === true);
    await expect(outcome).resolves.toBeUndefined();
  });

  it('cuts off a reader that takes nothing', async () => {
    limits = { ...CHUNK_LIMITS, stallMs: 50 };
    let seen: AbortSignal | undefined;
    produce = async function* (gone) {
      seen = gone;
      for (;;) yield token('x'.repeat(262_144));
    };
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    client.pause();
    await until(() => seen?.aborted === true);
    await expect(outcome).resolves.toBeUndefined();
    client.destroy();
  });

  it('throws what breaks it before it is open', async () => {
    produce = async function* () {
      yield at({ type: 'queue', data: { provider: 'p', position: 1, expected_wait_ms: 1 } });
      throw new AppError('STORE_UNAVAILABLE');
    };
    expect((await get()).status).toBe(502);
    await expect(outcome).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
