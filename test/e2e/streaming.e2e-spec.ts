import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { temporalAddress } from '../support/temporal.js';
import { chatProfile, fakeProvider, Product, until } from './harness.js';
import { allEvents, eventsOf, joined, textOf, type WireEvent } from './sse.js';

const SSE = { accept: 'text/event-stream' };
const AS = '?user_id=tg:12345';

describe('streaming', () => {
  let fake: WireFake;
  let product: Product;
  let temporal: Client;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({
      database: 'embedded',
      profile: chatProfile([fakeProvider('fake', fake)], ['fake']),
    });
    temporal = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
  });

  afterAll(async () => {
    await product.close();
    await temporal.connection.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, tokens: 30, tokenMs: 8, firstTokenMs: 0 };
  });

  const stream = (prompt: string, signal?: AbortSignal): Promise<Response> =>
    product.fetch(
      'POST',
      '/route',
      { headers: SSE, ...(signal ? { signal } : {}) },
      JSON.stringify({ prompt, metadata: { user_id: 'tg:12345' } }),
    );

  const resume = async (id: string, lastEventId?: string): Promise<WireEvent[]> => {
    const headers: Record<string, string> = lastEventId === undefined ? SSE : { ...SSE, 'last-event-id': lastEventId };
    return allEvents(await product.fetch('GET', `/requests/${id}/events${AS}`, { headers }));
  };

  const body = async (id: string): Promise<unknown> => (await product.call('GET', `/requests/${id}${AS}`)).body;

  it('should tell route, attempt, tokens and the whole body, each with an id', async () => {
    const response = await stream('Stream #whole');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const id = response.headers.get('x-request-id')!;
    const events = await allEvents(response);
    const types = events.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['route', 'attempt', 'token']);
    expect(types.at(-1)).toBe('done');
    expect(types.slice(2, -1).every((type) => type === 'token')).toBe(true);
    expect(types.length).toBeGreaterThan(5);
    expect(events[0]?.data).toEqual({
      request_id: id,
      workflow_id: `route/${id}`,
      mode: 'chat',
      rule: 'chat',
      providers: ['fake'],
    });
    expect(events[1]?.data).toEqual({ provider: 'fake', generation: 1 });
    const done = events.at(-1)!.data;
    expect(done).toEqual(await body(id));
    expect(textOf(events)).toBe(done.data.text);
    const ids = events.map((event) => event.id);
    expect(ids.slice(0, 2)).toEqual(['0-0', '1-0']);
    expect(ids.every((each) => /^\d+-\d+$/.test(each ?? ''))).toBe(true);
    expect(ids.at(-1)).toBe(`1-${done.data.text.length}`);
  });

  it('should be resumed in the middle while it runs, without a gap or a repetition', async () => {
    const leave = new AbortController();
    const response = await stream('Stream #resumed', leave.signal);
    const id = response.headers.get('x-request-id')!;
    const seen: WireEvent[] = [];
    for await (const event of eventsOf(response)) {
      seen.push(event);
      if (seen.filter(({ type }) => type === 'token').length === 2) break;
    }
    leave.abort();
    const rest = await resume(id, seen.at(-1)?.id);
    expect(rest[0]?.type).toBe('token');
    const done = rest.at(-1)!;
    expect(done.type).toBe('done');
    expect(textOf([...seen, ...rest])).toBe(done.data.data.text);
    expect(fake.stats.calls).toBe(1);
  });

  it('should be followed by several readers at once, from the beginning', async () => {
    const response = await stream('Stream #many');
    const id = response.headers.get('x-request-id')!;
    const [own, ...others] = await Promise.all([
      allEvents(response),
      resume(id),
      resume(id),
      resume(id, 'no id of ours'),
    ]);
    for (const events of others) expect(joined(events)).toEqual(joined(own));
  });

  describe('after its end', () => {
    let id: string;
    let all: WireEvent[];

    beforeAll(async () => {
      fake.settings = { ...fake.settings, tokens: 30, tokenMs: 8 };
      const response = await stream('Stream #ended');
      id = response.headers.get('x-request-id')!;
      all = await allEvents(response);
    });

    it('should give what is left after any event', async () => {
      for (const [at, event] of all.entries()) {
        const rest = await resume(id, event.id);
        // An end is told again to whoever asks.
        expect(joined(rest)).toEqual(joined(all.slice(Math.min(at + 1, all.length - 1))));
      }
    });

    it('should give everything for an id that is unknown, and the end for one that lies behind it', async () => {
      for (const unknown of ['', 'abc', '1', '-1-5', '1-5-7'])
        expect(joined(await resume(id, unknown))).toEqual(joined(all));
      expect(await resume(id, '1-99999')).toEqual(all.slice(-1));
    });

    it('should be served from the record once the process was started again', async () => {
      await product.restart();
      const done = all.at(-1)!;
      const { text } = done.data.data;
      const whole = await resume(id);
      expect(joined(whole)).toEqual(joined(all));
      expect(textOf(whole)).toBe(text);
      expect(whole.at(-1)).toEqual(done);
      const middle = all[Math.floor(all.length / 2)]!;
      const before = textOf(all.slice(0, all.indexOf(middle) + 1));
      const rest = await resume(id, middle.id);
      expect(rest.map(({ type }) => type)).toEqual(['token', 'done']);
      expect(before + textOf(rest)).toBe(text);
      expect((await resume(id, done.id)).map(({ type }) => type)).toEqual(['done']);
      // A reader that saw the text of another run is told to start afresh.
      expect((await resume(id, '7-3')).map(({ type }) => type)).toEqual(['attempt', 'token', 'done']);
    });
  });

  it('should go on when its only reader leaves', async () => {
    const leave = new AbortController();
    const response = await stream('Stream #left', leave.signal);
    const id = response.headers.get('x-request-id')!;
    leave.abort();
    await response.body?.cancel().catch(() => undefined);
    const events = await resume(id);
    expect(events.at(-1)?.type).toBe('done');
    expect(fake.stats).toMatchObject({ calls: 1, aborted: 0 });
  });

  it('should answer 202 at once to whoever does not wait, and be found when it is done', async () => {
    const call = { headers: { prefer: 'wait=0' } };
    const { status, headers, body: first } = await product.route('Later #later', {}, call);
    expect(status).toBe(202);
    expect(first).toMatchObject({ ok: true, data: null, rule: 'chat', usage: null });
    expect(['accepted', 'running']).toContain(first.status);
    const location = `${headers.get('location')}${AS}`;
    await until(async () => (await product.call('GET', location)).body.status === 'completed', 'the answer');
    const { status: code, body: last } = await product.call('GET', location);
    expect(code).toBe(200);
    expect(last).toMatchObject({ ok: true, request_id: first.request_id, data: { finish_reason: 'stop' } });
  });

  it('should wait as long as it is told to', async () => {
    const began = Date.now();
    fake.settings = { ...fake.settings, firstTokenMs: 10_000 };
    const wait = { headers: { prefer: 'respond-async, wait=1' } };
    const { status, body: accepted } = await product.route('Slow #slow', {}, wait);
    const ms = Date.now() - began;
    await product.call('DELETE', `/requests/${accepted.request_id}${AS}`);
    expect(status).toBe(202);
    expect(ms).toBeGreaterThanOrEqual(990);
    expect(ms).toBeLessThan(8_000);
  });

  describe('cancelled', () => {
    /** Accepts a chat that would take long, and waits until the model works on it. */
    async function running(prompt: string): Promise<string> {
      fake.settings = { ...fake.settings, tokens: 2_000, tokenMs: 20 };
      const { body: accepted } = await product.route(prompt, {}, { headers: { prefer: 'wait=0' } });
      await until(() => fake.stats.inFlight === 1, 'the call');
      return accepted.request_id;
    }

    it('should end for real: at the model, in the record, in Temporal and for those who listen', async () => {
      const id = await running('Long #cancelled');
      const reader = resume(id);
      const began = Date.now();
      const answer = product.call('DELETE', `/requests/${id}${AS}`);
      await until(() => fake.stats.inFlight === 0, 'the end of the call', 5_000);
      expect(Date.now() - began).toBeLessThan(5_000);
      expect(fake.stats.aborted).toBe(1);
      const { status, body: cancelled } = await answer;
      expect(status).toBe(200);
      expect(cancelled).toMatchObject({ ok: false, status: 'cancelled', error: { code: 'REQUEST_CANCELLED' } });
      expect(await body(id)).toEqual(cancelled);
      const events = await reader;
      expect(events.at(-1)).toMatchObject({ type: 'error', data: cancelled });
      const handle = temporal.workflow.getHandle(`route/${id}`);
      await until(async () => (await handle.describe()).status.name !== 'RUNNING', 'the end of the workflow');
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect(fake.stats.calls).toBe(1);
    });

    it('should answer the caller who waits for it with 409', async () => {
      fake.settings = { ...fake.settings, tokens: 2_000, tokenMs: 20 };
      const accepted = async (): Promise<string[]> =>
        (await product.logLines()).flatMap(({ msg, request_id: id }) =>
          msg === 'request accepted' ? [String(id)] : [],
        );
      const before = (await accepted()).length;
      const waiting = product.route('Long #waited');
      await until(async () => (await accepted()).length > before, 'the acceptance');
      await until(() => fake.stats.inFlight === 1, 'the call');
      const id = (await accepted()).at(-1) ?? '';
      await product.call('DELETE', `/requests/${id}${AS}`);
      const { status, body: told } = await waiting;
      expect(status).toBe(409);
      expect(told).toMatchObject({ ok: false, status: 'cancelled', error: { code: 'REQUEST_CANCELLED' } });
    });

    it('should be cancelled once, and never after its end', async () => {
      const id = await running('Long #twice');
      await product.call('DELETE', `/requests/${id}${AS}`);
      const again = await product.call('DELETE', `/requests/${id}${AS}`);
      expect(again).toMatchObject({ status: 409, body: { error: { code: 'REQUEST_ENDED', status: 'cancelled' } } });
      fake.settings = { ...fake.settings, tokens: 5, tokenMs: 0 };
      const { body: done } = await product.route('Short #short');
      const late = await product.call('DELETE', `/requests/${done.request_id}${AS}`);
      expect(late).toMatchObject({ status: 409, body: { error: { code: 'REQUEST_ENDED', status: 'completed' } } });
      expect(await body(done.request_id)).toEqual(done);
    });
  });

  it('should finish a running answer before the process stops, and tell those who wait', async () => {
    fake.settings = { ...fake.settings, tokens: 60, tokenMs: 15 };
    const waiting = product.route('Draining #drained');
    await until(() => fake.stats.inFlight === 1, 'the call');
    const stopped = product.stop();
    const { url } = product;
    expect(await product.route('Too late #late')).toMatchObject({
      status: 503,
      body: { error: { code: 'SHUTTING_DOWN' } },
    });
    await stopped;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    const { status, body: sofar } = await waiting;
    expect([200, 202]).toContain(status);
    expect(fake.stats).toMatchObject({ calls: 1, completed: 1, aborted: 0 });
    await product.start();
    expect(await body(sofar.request_id)).toMatchObject({ ok: true, status: 'completed' });
    expect(fake.stats.calls).toBe(1);
  });
});
