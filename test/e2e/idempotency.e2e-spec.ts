import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product, until, type Reply } from './harness.js';
import { allEvents, textOf } from './sse.js';

describe('an Idempotency-Key', () => {
  let fake: WireFake;
  let product: Product;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, firstTokenMs: 0 };
  });

  const send = (name: string, prompt: string, metadata: object = {}, key?: string): Promise<Reply> =>
    product.route(prompt, metadata, { headers: { 'idempotency-key': name }, ...(key === undefined ? {} : { key }) });

  const ids = (replies: Reply[]): Set<string> => new Set(replies.map(({ body }) => body.request_id));

  it('should give the same body the first run’s result', async () => {
    const first = await send('same', 'Hello #same');
    const second = await send('same', 'Hello #same');
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(fake.stats.calls).toBe(1);
  });

  it('should not mind the order of names or the older names', async () => {
    const headers = { 'idempotency-key': 'order' };
    const body = { prompt: 'Hello #order', metadata: { user_id: 'tg:12345', a: 1, b: 2 } };
    const turned = { metadata: { b: 2, a: 1, user_id: 'tg:12345' }, prompt: 'Hello #order', mode: 'chat' };
    const replies = [await product.call('POST', '/route', { headers }, body)];
    replies.push(await product.call('POST', '/route', { headers }, turned));
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(ids(replies).size).toBe(1);
  });

  it('should buy one answer for twenty at once', async () => {
    fake.settings = { ...fake.settings, firstTokenMs: 150 };
    const replies = await Promise.all(Array.from({ length: 20 }, () => send('twenty', 'Hello #twenty')));
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(ids(replies).size).toBe(1);
    expect(new Set(replies.map(({ body }) => body.data.text)).size).toBe(1);
    expect(fake.stats.calls).toBe(1);
  });

  it('should refuse another body, which buys nothing', async () => {
    await send('other', 'Hello #first');
    for (const changed of [send('other', 'Hello #second'), send('other', 'Hello #first', { session_id: 'x' })]) {
      expect(await changed).toMatchObject({
        status: 422,
        body: { ok: false, error: { code: 'IDEMPOTENCY_CONFLICT' } },
      });
    }
    expect(fake.stats.calls).toBe(1);
  });

  it('should count as absent when it is empty', async () => {
    const replies = [await send('', 'Hello #empty'), await send('', 'Hello #empty'), await send('', 'Hello #else')];
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(ids(replies).size).toBe(3);
    expect(fake.stats.calls).toBe(3);
  });

  it('should belong to one actor and one key', async () => {
    const gateway = await product.key({ dao_id: DAO });
    const replies = [
      await send('scoped', 'Hello #scoped'),
      await send('scoped', 'Hello #scoped', { user_id: 'tg:222' }),
      await send('scoped', 'Hello #scoped', {}, gateway.key),
    ];
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(ids(replies).size).toBe(3);
    expect((await send('scoped', 'Hello #scoped', {}, gateway.key)).body).toEqual(replies[2]?.body);
  });

  it('should tell long keys apart', async () => {
    const long = 'k'.repeat(300);
    const replies = [await send(`${long}1`, 'Hello #long'), await send(`${long}2`, 'Hello #long')];
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(ids(replies).size).toBe(2);
  });

  it('should join a stream to a run that goes on', async () => {
    fake.settings = { ...fake.settings, firstTokenMs: 150 };
    const headers = { 'idempotency-key': 'joined' };
    const waiting = send('joined', 'Hello #joined');
    await until(() => fake.stats.inFlight === 1, 'the call');
    const payload = JSON.stringify({ prompt: 'Hello #joined', metadata: { user_id: 'tg:12345' } });
    const call = { headers: { ...headers, accept: 'text/event-stream' } };
    const events = await allEvents(await product.fetch('POST', '/route', call, payload));
    const { body } = await waiting;
    expect(events.at(-1)).toMatchObject({ type: 'done', data: body });
    expect(textOf(events)).toBe(body.data.text);
    expect(fake.stats.calls).toBe(1);
  });

  it('should give a failure’s result again, without another try', async () => {
    fake.fail({ kind: 'status', status: 400, times: 9 });
    const replies = [await send('failed', 'Hello #failed'), await send('failed', 'Hello #failed')];
    expect(replies.map(({ status }) => status)).toEqual([502, 502]);
    expect(replies[1]?.body).toEqual(replies[0]?.body);
    expect(fake.stats.calls).toBe(1);
  });

  it('should be free after a refusal', async () => {
    const guest = await send('refused', 'Hello #refused', { user_id: 'tg:404' });
    expect(guest.status).toBe(403);
    await product.createDao('promoted', { 'tg:404': ['member'] });
    const member = await send('refused', 'Hello #refused', { user_id: 'tg:404', dao_id: 'promoted' });
    expect(member.status).toBe(200);
  });
});
