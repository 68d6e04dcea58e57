import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import type { PositionedEvent } from '../contracts/events.js';
import { sendEvents } from './sse.js';

const token = (text: string, offset: number): PositionedEvent => ({
  type: 'token',
  data: { text },
  position: { generation: 1, offset },
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

type Produce = Parameters<typeof sendEvents>[1];

describe('sendEvents', () => {
  let server: FastifyInstance;
  let port: number;
  let produce: Produce;
  /** Runs before the events are sent. */
  let prepare: (reply: FastifyReply) => Promise<void>;
  let outcome: Promise<void> | undefined;

  beforeEach(async () => {
    outcome = undefined;
    prepare = () => Promise.resolve();
    server = fastify();
    server.get('/', async (_request, reply) => {
      void reply.header('x-request-id', 'r1');
      await prepare(reply);
      outcome = sendEvents(reply, (signal) => produce(signal));
      await outcome.catch(() => undefined);
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    ({ port } = server.server.address() as AddressInfo);
  });
  afterEach(async () => {
    server.server.closeAllConnections();
    await server.close();
  });

  const get = (): Promise<Response> => fetch(`http://127.0.0.1:${port}/`);

  /** A reader whose socket is in the test's hands. */
  async function socket(): Promise<Socket> {
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return client;
  }

  it('sends each event with id, name and data on one line each, and ends with the last', async () => {
    produce = async function* () {
      yield token('a\nb"', 4);
      yield { ...token('c', 5) };
    };
    const response = await get();
    expect(await response.text()).toBe(
      'id: 1-4\nevent: token\ndata: {"text":"a\\nb\\""}\n\nid: 1-5\nevent: token\ndata: {"text":"c"}\n\n',
    );
  });

  it('says that it is a stream that nobody may keep, and keeps the headers of the call', async () => {
    produce = async function* () {};
    const { status, headers } = await get();
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toBe('r1');
  });

  it('sends an event while the next is still to come', async () => {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    produce = async function* () {
      yield token('first', 5);
      await held;
      yield token('second', 11);
    };
    const reader = (await get()).body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('first');
    go();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('second');
  });

  it('ends the events of a reader who goes away, without an error', async () => {
    let seen: AbortSignal | undefined;
    let finished = false;
    produce = async function* (signal) {
      seen = signal;
      try {
        yield token('first', 5);
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      } finally {
        finished = true;
      }
    };
    const client = await socket();
    await once(client, 'data');
    expect(seen?.aborted).toBe(false);
    client.destroy();
    await until(() => finished);
    await expect(outcome).resolves.toBeUndefined();
  });

  it('waits for a slow reader, and lets go of one who leaves while it waits', async () => {
    let produced = 0;
    produce = async function* () {
      for (;;) yield token('x'.repeat(262_144), (produced += 1));
    };
    const client = await socket();
    client.pause();
    let before = -1;
    // The buffers of the system fill up; then the events stand still.
    await until(() => {
      const still = produced > 0 && produced === before;
      before = produced;
      return still;
    });
    expect(produced).toBeLessThan(1_000);
    client.destroy();
    await until(() => outcome !== undefined);
    await expect(outcome).resolves.toBeUndefined();
  });

  it('does not wait for a reader who left before the first event', async () => {
    const aborted: boolean[] = [];
    produce = async function* (signal) {
      aborted.push(signal.aborted);
      yield token('x', 1);
    };
    prepare = async (reply) => {
      const closed = once(reply.raw, 'close');
      client.destroy();
      await closed;
    };
    const client = await socket();
    await until(() => outcome !== undefined);
    await expect(outcome).resolves.toBeUndefined();
    expect(aborted).toEqual([true]);
  });

  it('passes on what the events break on, and tells the reader that they do', async () => {
    produce = async function* () {
      yield token('x', 1);
      throw new Error('broken');
    };
    const frames = (await (await get()).text()).trimEnd().split('\n\n');
    await expect(outcome).rejects.toThrow('broken');
    expect(frames).toHaveLength(2);
    const [name, data] = frames[1]?.split('\ndata: ') ?? [];
    expect(name).toBe('event: error');
    expect(JSON.parse(data ?? '')).toEqual({
      ok: false,
      request_id: expect.stringMatching(/./),
      error: { code: 'INTERNAL', message: expect.not.stringContaining('broken') },
    });
  });

  it('shows every 15 seconds that it is alive', async () => {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    produce = async function* () {
      await held;
      yield token('x', 1);
    };
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const response = get();
    await until(() => outcome !== undefined);
    jest.advanceTimersByTime(15_000);
    go();
    await expect(outcome).resolves.toBeUndefined();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
    expect(await (await response).text()).toMatch(/^: keep-alive\n\nid: 1-1\n/);
  });
});
