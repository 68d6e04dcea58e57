import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SeenGate, SeenRun } from '../../src/contracts/crew-view.js';
import OpenAI from 'openai';
import { GOOD, ISSUE } from '../fakes/crew-answers.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product, until, type Call, type Reply } from './harness.js';
import { allEvents } from './sse.js';

const MEMBER = 'tg:12345';
const CONTRIBUTOR = 'tg:222';
const ADMIN = 'tg:1';

describe('crews', () => {
  let fake: WireFake;
  let product: Product;

  beforeAll(async () => {
    fake = await startFakeOpenAi({ scripts: GOOD });
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']) });
    await mkdir(join(product.home, 'workspaces', DAO, 'shop'), { recursive: true });
    await writeFile(
      join(product.home, 'workspaces', DAO, 'shop', 'login.js'),
      'export const login = (user) =>\n  user.password === "hunter2";\n',
    );
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });
  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, scripts: GOOD };
  });

  const start = (crew: string, inputs: object, user = MEMBER, call: Call = {}): Promise<Reply> =>
    product.call(
      'POST',
      `/crews/${crew}/runs`,
      { headers: { prefer: 'wait=6' }, ...call },
      { dao_id: DAO, user_id: user, inputs },
    );

  async function seen(id: string, user = ADMIN): Promise<SeenRun> {
    const { status, body } = await product.call('GET', `/crews/runs/${id}?user_id=${user}`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body as unknown as SeenRun;
  }

  const decide = (id: string, decision: string, body: object = {}, user = ADMIN): Promise<Reply> =>
    product.call('POST', `/crews/runs/${id}/${decision}`, {}, { user_id: user, ...body });

  async function ended(id: string): Promise<SeenRun> {
    await until(async () => (await seen(id)).ended_at !== null, `the end of ${id}`, 20_000);
    return seen(id);
  }

  /** A run that waits for somebody. */
  async function asking(id: string): Promise<SeenGate> {
    await until(async () => (await seen(id)).gates.some(({ state }) => state === 'open'), 'a gate', 20_000);
    return (await seen(id)).gates.find(({ state }) => state === 'open')!;
  }

  it('should take a task apart, with estimates and a graph without circles', async () => {
    const { status, body } = await start('task_decomposition', { task: 'Make a garden' });
    expect([status, body.error]).toEqual([200, undefined]);
    expect(body).toMatchObject({ ok: true, mode: 'crew', rule: 'crew', status: 'completed' });
    expect(body.workflow_id).toBe(`crew/task_decomposition/${body.request_id}`);
    const data = body.data as unknown as { result: Record<string, object[]>; agents: object };
    expect(data.result.subtasks).toHaveLength(3);
    expect(data.result.dependencies).toContainEqual({ id: 't3', depends_on: ['t2'] });
    expect(Object.keys(data.agents)).toEqual(['planner', 'estimator', 'dependency_analyzer']);
    expect(fake.stats.calls).toBe(3);
  });

  it('should send back what does not fit, and what goes in a circle, until it fits', async () => {
    const circle = {
      dependencies: [
        { id: 't1', depends_on: ['t3'] },
        { id: 't2', depends_on: ['t1'] },
        { id: 't3', depends_on: ['t2'] },
      ],
    };
    const good = GOOD['depends_on has the ids']!;
    fake.settings = {
      ...fake.settings,
      scripts: { ...GOOD, 'depends_on has the ids': ['I would say: t1 first.', circle, ...good] },
    };
    const { body } = await start('task_decomposition', { task: 'Make a garden' });
    expect(body.status).toBe('completed');
    const { steps } = await seen(body.request_id);
    const asked = steps
      .filter(({ agent }) => agent === 'dependency_analyzer')
      .map(({ input }) => JSON.stringify(input));
    expect(asked).toHaveLength(3);
    expect(asked[2]).toMatch(/circle: /);
  });

  it('should review real code, read through the tools by whoever may', async () => {
    const { body } = await start('code_review', { path: 'shop' }, CONTRIBUTOR);
    expect(body.error).toBeUndefined();
    const { result } = body.data as unknown as { result: Record<string, unknown> };
    expect(result).toMatchObject({ quality_score: 40, security_issues: [ISSUE], performance_warnings: [] });
    const { steps, spent } = await seen(body.request_id);
    expect(steps.filter(({ kind }) => kind === 'tool').map(({ label }) => label)).toContain(
      'check_security: list by fs_list',
    );
    const told = fake.bodies.map(({ messages }) => JSON.stringify(messages)).join('\n');
    expect(told).toContain('hunter2');
    expect(spent.tokens).toBeGreaterThan(0);
  });

  it('should start over /route as well, and be followed', async () => {
    const metadata = {
      dao_id: DAO,
      user_id: MEMBER,
      workflow: 'task_decomposition',
      inputs: { task: 'Make a garden' },
    };
    const body = JSON.stringify({ mode: 'crew', metadata });
    const events = await allEvents(
      await product.fetch('POST', '/route', { headers: { accept: 'text/event-stream' } }, body),
    );
    expect(events[0]).toMatchObject({ type: 'route', data: { mode: 'crew' } });
    expect(events.at(-1)).toMatchObject({ type: 'done', data: { status: 'completed' } });
  });

  it('should welcome a guest, and give the role that an admin approves', async () => {
    const { status, body } = await start('microdao_onboarding', { about: 'I can code.' }, 'tg:777');
    expect(status).toBe(202);
    const gate = await asking(body.request_id);
    expect(gate).toMatchObject({ kind: 'approval', task: 'suggest_role', rules: { roles: ['admin'], count: 1 } });
    expect((await decide(body.request_id, 'approve', {}, 'tg:777')).status).toBe(404);
    const approved = await decide(body.request_id, 'approve', { comment: 'Welcome!' });
    expect(approved.status).toBe(200);
    const run = await ended(body.request_id);
    expect(run).toMatchObject({ state: 'completed', result: { result: { suggested_role: 'contributor' } } });
    const { body: rights } = await product.call('POST', '/rbac/resolve', {}, { dao_id: DAO, user_id: 'tg:777' });
    expect((rights as unknown as { roles: string[] }).roles).toEqual(['contributor']);
    expect((await decide(body.request_id, 'approve')).body.error.code).toBe('GATE_NOT_FOUND');
  });

  it('should do a task again with the comment of whoever sent it back', async () => {
    const { body } = await start('microdao_onboarding', { about: 'I can code.' }, 'tg:778');
    await asking(body.request_id);
    expect((await decide(body.request_id, 'return')).body.error.code).toBe('DECISION_INVALID');
    await decide(body.request_id, 'return', { comment: 'Too much: member will do.' });
    await until(async () => (await seen(body.request_id)).gates.length === 2, 'another gate', 20_000);
    const told = JSON.stringify(fake.bodies.at(-1)?.messages);
    expect(told).toContain('Too much: member will do.');
    await decide(body.request_id, 'reject', { comment: 'No.' });
    expect(await ended(body.request_id)).toMatchObject({ state: 'completed' });
    const { body: rights } = await product.call('POST', '/rbac/resolve', {}, { dao_id: DAO, user_id: 'tg:778' });
    expect((rights as unknown as { roles: string[] }).roles).toEqual(['guest']);
  });

  it('should start nothing for those who may not', async () => {
    const guest = await start('task_decomposition', { task: 'Make a garden' }, 'tg:779');
    expect(guest.body.error).toMatchObject({ code: 'RBAC_PERMISSION_DENIED', required_entitlement: 'agent.crew' });
    const unknown = await start('no_such_crew', {});
    expect(unknown.body.error.code).toBe('CREW_NOT_FOUND');
    const wrong = await start('task_decomposition', { task: 7 });
    expect(wrong.body.error).toMatchObject({ code: 'CREW_INPUTS_INVALID' });
  });

  it('should show a run to nobody else', async () => {
    const { body } = await start('task_decomposition', { task: 'Make a garden' });
    for (const user of [CONTRIBUTOR, 'tg:779']) {
      expect((await product.call('GET', `/crews/runs/${body.request_id}?user_id=${user}`)).status).toBe(404);
    }
    expect((await product.call('GET', `/crews/runs/${body.request_id}?user_id=${MEMBER}`)).status).toBe(200);
  });

  it('should go on from what failed, and from a task, and compare', async () => {
    fake.settings = { ...fake.settings, scripts: { ...GOOD, 'Estimate each subtask': ['no'] } };
    const failed = await start('task_decomposition', { task: 'Make a garden' });
    expect(failed.body).toMatchObject({
      ok: false,
      status: 'failed',
      error: { code: 'CREW_FAILED', task: 'estimate' },
    });
    fake.settings = { ...fake.settings, scripts: GOOD };
    fake.reset();
    const again = await product.call('POST', `/crews/runs/${failed.body.request_id}/rerun`, {}, { user_id: MEMBER });
    expect(again.body.status).toBe('completed');
    const { tasks } = await seen(again.body.request_id);
    expect(tasks[0]).toMatchObject({ task: 'plan', state: 'reused', reused_from: failed.body.request_id });
    // The graph was there before the estimates failed.
    expect(fake.stats.calls).toBe(1);
    const compared = await product.call(
      'GET',
      `/crews/runs/${again.body.request_id}/compare?with=${failed.body.request_id}&user_id=${MEMBER}`,
    );
    expect((compared.body as unknown as { tasks: object[] }).tasks).toMatchObject([
      { task: 'plan', outcome: 'same' },
      { task: 'estimate', outcome: 'changed' },
      { outcome: 'same' },
    ]);
  });

  it('should be cancelled with everything that it does', async () => {
    const { body } = await start('microdao_onboarding', { about: 'I can code.' }, 'tg:780');
    await asking(body.request_id);
    const { body: cancelled } = await product.call('POST', `/crews/runs/${body.request_id}/cancel?user_id=tg:780`);
    expect(cancelled).toMatchObject({ ok: true });
    expect(await ended(body.request_id)).toMatchObject({ state: 'cancelled', gates: [{ state: 'closed' }] });
  });

  it('should be made by a DAO itself, without code or restart', async () => {
    const crew = {
      name: 'Greeter',
      description: 'Says hello.',
      agents: { greeter: { role: 'Greeter', goal: 'Say hello.' } },
      tasks: {
        greet: {
          agent: 'greeter',
          instruction: 'Say hello to inputs.name.',
          uses: ['inputs.name'],
          output: { type: 'object', properties: { hello: { type: 'string' } }, required: ['hello'] },
        },
      },
      inputs: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      result: { hello: 'greet.hello' },
    };
    const put = await product.call('PUT', `/crews/greeter?dao_id=${DAO}&user_id=${ADMIN}`, {}, crew);
    expect([put.status, put.body.error]).toEqual([200, undefined]);
    fake.settings = { ...fake.settings, scripts: { 'Say hello to': [{ hello: 'Hello, Olena!' }] } };
    const { body } = await start('greeter', { name: 'Olena' });
    expect(body.data).toMatchObject({ result: { hello: 'Hello, Olena!' } });
    const wrong = await product.call(
      'PUT',
      `/crews/greeter?dao_id=${DAO}&user_id=${ADMIN}`,
      {},
      { ...crew, result: {} },
    );
    expect(wrong.body.error.code).toBe('BODY_INVALID');
    const { body: listed } = await product.call('GET', `/crews?dao_id=${DAO}&user_id=${MEMBER}`);
    expect((listed as unknown as { crews: { id: string; own: boolean }[] }).crews.map(({ id }) => id)).toEqual([
      ...['code_review', 'greeter', 'microdao_onboarding', 'proposal_review', 'task_decomposition'],
    ]);
  });

  describe('as models', () => {
    let key: string;
    beforeAll(async () => {
      ({ key } = await product.key({ dao_id: DAO, principal: MEMBER }));
    });

    const client = (): OpenAI => new OpenAI({ baseURL: `${product.url}/v1`, apiKey: key, maxRetries: 0 });
    const asks = (model: string, content: string) => ({ model, messages: [{ role: 'user' as const, content }] });

    it('should stream what they do as thoughts, and what comes of it as the answer', async () => {
      const stream = await client().chat.completions.create({
        ...asks('crew/task_decomposition', 'Make a garden'),
        stream: true,
      });
      let [thoughts, text] = ['', ''];
      for await (const { choices } of stream) {
        const delta = choices[0]?.delta as { content?: string; reasoning_content?: string } | undefined;
        thoughts += delta?.reasoning_content ?? '';
        text += delta?.content ?? '';
      }
      expect(thoughts).toContain('planner on plan: completed');
      expect(thoughts).toContain('dependency_analyzer on find_dependencies: running');
      expect(text).toContain('## Subtasks');
      expect(text).toContain('Buy the seeds');
    });

    it('should answer in whole, with the usage of all agents', async () => {
      const answer = await client().chat.completions.create(
        asks('crew/task_decomposition', '{"task":"Make a garden"}'),
      );
      expect(answer.choices[0]?.message.content).toContain('## Dependencies');
      expect(answer.usage?.total_tokens).toBeGreaterThan(0);
    });

    it('should say so where people are to decide first, and go on', async () => {
      const answer = await client().chat.completions.create(asks('crew/microdao_onboarding', 'I bake bread.'));
      const run = /crews\/runs\/([\w-]+)/.exec(answer.choices[0]?.message.content ?? '')?.[1];
      expect(run).toBeDefined();
      await asking(run!);
    });

    it('should be listed for those who may start them, and unknown ones refused', async () => {
      const { data } = await client().models.list();
      expect(data.map(({ id }) => id)).toContain('crew/task_decomposition');
      const asked = client().chat.completions.create(asks('crew/none', 'Hello'));
      await expect(asked).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    });
  });
});
