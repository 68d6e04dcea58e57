import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadDefaultRoles } from '../../config/seed.js';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { temporalAddress } from '../support/temporal.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product } from './harness.js';

describe('a chat', () => {
  let fake: WireFake;
  let product: Product;
  let temporal: Client;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({
      profile: chatProfile([fakeProvider('fake', fake, { max_tokens: 300 })], ['fake'], { session_tokens: 400 }),
    });
    await product.createDao('other-dao', { 'tg:12345': ['member'] }, { purpose: 'Other things.' });
    temporal = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
  });

  afterAll(async () => {
    await product.close();
    await temporal.connection.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
  });

  it('should be answered with everything that the contract names', async () => {
    const { status, headers, body } = await product.route('Hello #contract');
    expect(status).toBe(200);
    const { request_id: id } = body;
    expect(headers.get('location')).toBe(`/requests/${id}`);
    expect(headers.get('x-request-id')).toBe(id);
    const ms: unknown = expect.any(Number);
    expect(body).toEqual({
      ok: true,
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      workflow_id: `route/${id}`,
      status: 'completed',
      mode: 'chat',
      rule: 'chat',
      provider: 'fake',
      data: { text: 'echo #contract (2 messages) Hello #contract', finish_reason: 'stop' },
      rbac: { roles: ['member'], entitlements: loadDefaultRoles().member },
      usage: { prompt_tokens: ms, completion_tokens: 6, total_tokens: ms },
      origin: { step: 'provider' },
      attempts: [{ provider: 'fake', status: 'ok', ms }],
      timings_ms: { gateway: ms, rbac: ms, queue: ms, llm: ms, total: ms },
    });
    expect(body.usage.total_tokens).toBe(body.usage.prompt_tokens + 6);
    const { gateway, rbac, queue, llm, total } = body.timings_ms;
    expect(total).toBeGreaterThanOrEqual(gateway + rbac + queue + llm - 5);
  });

  it('should have the same body whenever it is asked for', async () => {
    const { body } = await product.route('Hello #again');
    const again = await product.call('GET', `/requests/${body.request_id}?user_id=tg:12345`);
    expect(again).toMatchObject({ status: 200, body });
    expect(again.body).toEqual(body);
  });

  it('should understand the names that older clients use', async () => {
    const old = { message: 'Hello #old', payload: { task_type: 'x' }, dao_id: 'other-dao', user_id: 'tg:12345' };
    const { status, body } = await product.call('POST', '/route', {}, { ...old, session_id: 's-old', source: 'web' });
    expect(status).toBe(200);
    expect(body.data.text).toContain('Hello #old');
    const db = product.database.of('other-dao');
    const row = await db.selectFrom('requests').where('id', '=', body.request_id).selectAll().executeTakeFirst();
    expect(row).toMatchObject({ dao_id: 'other-dao', actor: 'tg:12345', source: 'web', metadata: { task_type: 'x' } });
    const dialogs = db.selectFrom('turns').innerJoin('dialogs', 'dialogs.id', 'turns.dialog_id').select('session_id');
    expect(await dialogs.where('turns.request_id', '=', body.request_id).execute()).toEqual([{ session_id: 's-old' }]);
  });

  it('should send the model a cap, the DAO’s facts and the member’s role', async () => {
    await product.route('Who are we? #facts', { user_id: 'tg:222' });
    const [call] = fake.bodies;
    expect(call).toMatchObject({ model: 'fake-model', stream: true, max_tokens: 300 });
    const [system, prompt] = call!.messages;
    expect(system).toMatchObject({ role: 'system' });
    expect(system?.content).toContain('GreenFood DAO');
    expect(system?.content).toContain('cooperative that brings food from local organic farms');
    expect(system?.content).toContain('role: contributor');
    expect(prompt).toEqual({ role: 'user', content: 'Who are we? #facts' });
    await product.route('And we? #facts-other', { dao_id: 'other-dao' });
    expect(fake.bodies[1]?.messages[0]?.content).toContain('Other things.');
    expect(fake.bodies[1]?.messages[0]?.content).not.toContain('GreenFood');
  });

  it('should keep texts of every script, and leave out what no database can keep', async () => {
    const { body } = await product.route('Привіт 🌻 日本\u0000語 #scripts');
    expect(body.data.text).toBe('echo #scripts (2 messages) Привіт 🌻 日本語 #scripts');
  });

  it('should carry a prompt of 3 MiB', async () => {
    const prompt = `#large ${'слово '.repeat(290_000)}`;
    expect(Buffer.byteLength(prompt)).toBeGreaterThan(3 * 1_048_576);
    const { status, body } = await product.route(prompt);
    expect({ status, code: body.error?.code }).toEqual({ status: 200, code: undefined });
    expect(fake.bodies[0]?.messages.at(-1)?.content === prompt).toBe(true);
  });

  describe('of a session', () => {
    const messages = (): string[] => (fake.bodies.at(-1)?.messages ?? []).map(({ content }) => content);

    it('should know the turns before it', async () => {
      await product.route('My dog is Rex. #one', { session_id: 'memory' });
      const { body } = await product.route('Who is my dog? #two', { session_id: 'memory' });
      expect(body.data.text).toContain('(4 messages)');
      expect(messages().slice(1)).toEqual([
        'My dog is Rex. #one',
        'echo #one (2 messages) My dog is Rex. #one',
        'Who is my dog? #two',
      ]);
    });

    it('should know nothing of another person’s, DAO’s or name’s', async () => {
      const metadata = { session_id: 'private' };
      await product.route('A secret. #secret', metadata);
      const others = [{ user_id: 'tg:222' }, { dao_id: 'other-dao' }, { session_id: 'private2' }, { user_id: 'tg:1' }];
      for (const other of others) {
        const { body } = await product.route('What is it? #asked', { ...metadata, ...other });
        expect(body.data.text).toContain('(2 messages)');
      }
      const own = await product.call('POST', '/route', {}, { prompt: 'And I? #admin', metadata });
      expect(own.body.data.text).toContain('(2 messages)');
    });

    it('should be bounded in tokens, newest first', async () => {
      const long = 'word '.repeat(60);
      for (let turn = 0; turn < 5; turn += 1) await product.route(`${turn} ${long}`, { session_id: 'bounded' });
      const sent = messages();
      expect(sent.length).toBeGreaterThanOrEqual(4);
      expect(sent.length).toBeLessThan(10);
      expect(sent.at(-1)).toMatch(/^4 word/);
      expect(sent.at(-3)).toMatch(/^3 word/);
      const past = sent.slice(1, -1).reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / 3), 0);
      expect(past).toBeLessThanOrEqual(400);
    });
  });

  it('should leave no text and no key in the history of its workflow, which does not grow with the session', async () => {
    const sizes: number[] = [];
    for (let turn = 0; turn < 30; turn += 1) {
      const { body } = await product.route(`needle-${turn} in the prompt #history`, { session_id: 'history' });
      const handle = temporal.workflow.getHandle(body.workflow_id);
      await handle.result();
      const history = JSON.stringify(historyToJSON(await handle.fetchHistory()));
      // Payloads are in base64 there.
      const decoded = history.replace(/[A-Za-z0-9+/]{20,}=*/g, (text) => Buffer.from(text, 'base64').toString());
      for (const text of [history, decoded]) {
        expect(text).not.toContain('needle');
        expect(text).not.toContain('echo');
        expect(text).not.toContain(ADMIN_KEY);
      }
      expect(decoded).toContain(DAO);
      sizes.push((await handle.describe()).historySize ?? 0);
    }
    expect(Math.min(...sizes)).toBeGreaterThan(1_000);
    expect(Math.max(...sizes.slice(-5)) - Math.max(...sizes.slice(0, 5))).toBeLessThan(200);
  });
});
