import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import OpenAI from 'openai';
import { GOOD } from '../fakes/crew-answers.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { temporalAddress } from '../support/temporal.js';
import { ADMIN, CONTRIBUTOR, CrewCalls, MEMBER } from './crew-calls.js';
import { chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { allEvents } from './sse.js';

const TEXT = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };

/** A crew whose second task is done once people have approved the first. */
const letters = (instruction: string): object => ({
  name: 'Letters',
  description: 'Writes a letter.',
  agents: { writer: { role: 'Writer', goal: 'Write.' } },
  tasks: {
    draft: {
      ...{ agent: 'writer', instruction: 'Draft it.', output: TEXT },
      approval: { ask: 'Shall it be written?', roles: ['admin'], expires_after_s: 3_600 },
    },
    write: { agent: 'writer', instruction, needs: ['draft'], uses: ['draft.text'], output: TEXT },
  },
  result: { text: 'write.text' },
});

/** Each conversation that a model was given, as one text. */
const toldTo = ({ bodies }: WireFake): string[] => bodies.map(({ messages }) => JSON.stringify(messages));

describe('crews', () => {
  let fake: WireFake;
  let product: Product;
  let crews: CrewCalls;
  let temporal: Client;

  beforeAll(async () => {
    fake = await startFakeOpenAi({ scripts: GOOD });
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']) });
    crews = new CrewCalls(product);
    temporal = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
  });
  afterAll(async () => {
    await temporal.connection.close();
    await product.close();
    await fake.close();
  });
  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, scripts: GOOD };
  });

  /** Events of the workflow of a run that waits: those since it began anew to do so. */
  async function historyOf(workflowId: string): Promise<NonNullable<History['events']>> {
    const handle = temporal.workflow.getHandle(workflowId);
    let events: NonNullable<History['events']> = [];
    await until(async () => {
      events = (await handle.fetchHistory()).events ?? [];
      const isAnew = events[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
      return Boolean(isAnew && events.at(-1)?.timerStartedEventAttributes);
    }, 'its timer');
    return events;
  }

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
    const { status, body } = await crews.start('microdao_onboarding', { about: 'I can code.' }, 'tg:777');
    expect(status).toBe(202);
    const gate = await crews.asking(body.request_id);
    expect(gate).toMatchObject({ kind: 'approval', task: 'suggest_role', rules: { roles: ['admin'], count: 1 } });
    expect((await crews.decide(body.request_id, 'approve', {}, 'tg:777')).status).toBe(404);
    const approve = `/crews/runs/${body.request_id}/approve?user_id=${ADMIN}`;
    const torn = await product.call('POST', approve, {}, { user_id: 'tg:777' });
    expect([torn.status, torn.body.error.code]).toEqual([400, 'BODY_INVALID']);
    const approved = await product.call('POST', approve, {}, { comment: 'Welcome!' });
    expect(approved.status).toBe(200);
    const run = await crews.ended(body.request_id);
    expect(run).toMatchObject({ state: 'completed', result: { result: { suggested_role: 'contributor' } } });
    const { body: rights } = await product.call('POST', '/rbac/resolve', {}, { dao_id: DAO, user_id: 'tg:777' });
    expect((rights as unknown as { roles: string[] }).roles).toEqual(['contributor']);
    expect((await crews.decide(body.request_id, 'approve')).body.error.code).toBe('GATE_NOT_FOUND');
  });

  it('should tell at once that it waits, also to whoever asks for the same run again', async () => {
    const call = { headers: { prefer: 'wait=600', 'idempotency-key': 'the-same-run' } };
    const start = () => crews.start('microdao_onboarding', { about: 'I can code.' }, 'tg:776', call);
    const [first, again] = [await start(), await start()];
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.request_id).toBe(first.body.request_id);
  });

  it('should do a task again with the comment of whoever sent it back', async () => {
    const { body } = await crews.start('microdao_onboarding', { about: 'I can code.' }, 'tg:778');
    await crews.asking(body.request_id);
    expect((await crews.decide(body.request_id, 'return')).body.error.code).toBe('DECISION_INVALID');
    await crews.decide(body.request_id, 'return', { comment: 'Too much: member will do.' });
    await until(async () => (await crews.seen(body.request_id)).gates.length === 2, 'another gate', 20_000);
    const told = JSON.stringify(fake.bodies.at(-1)?.messages);
    expect(told).toContain('Too much: member will do.');
    await crews.decide(body.request_id, 'reject', { comment: 'No.' });
    expect(await crews.ended(body.request_id)).toMatchObject({ state: 'completed' });
    const { body: rights } = await product.call('POST', '/rbac/resolve', {}, { dao_id: DAO, user_id: 'tg:778' });
    expect((rights as unknown as { roles: string[] }).roles).toEqual(['guest']);
  });

  it('should start nothing for those who may not', async () => {
    const guest = await crews.start('task_decomposition', { task: 'Make a garden' }, 'tg:779');
    expect(guest.body.error).toMatchObject({ code: 'RBAC_PERMISSION_DENIED', required_entitlement: 'agent.crew' });
    const unknown = await crews.start('no_such_crew', {});
    expect(unknown.body.error.code).toBe('CREW_NOT_FOUND');
    const wrong = await crews.start('task_decomposition', { task: 7 });
    expect(wrong.body.error).toMatchObject({ code: 'CREW_INPUTS_INVALID' });
  });

  it('should show a run to nobody else', async () => {
    const { body } = await crews.start('task_decomposition', { task: 'Make a garden' });
    for (const user of [CONTRIBUTOR, 'tg:779']) {
      expect((await product.call('GET', `/crews/runs/${body.request_id}?user_id=${user}`)).status).toBe(404);
    }
    expect((await product.call('GET', `/crews/runs/${body.request_id}?user_id=${MEMBER}`)).status).toBe(200);
  });

  it('should go on from what failed, and from a task, and compare', async () => {
    fake.settings = { ...fake.settings, scripts: { ...GOOD, 'Estimate each subtask': ['no'] } };
    const failed = await crews.start('task_decomposition', { task: 'Make a garden' });
    expect(failed.body).toMatchObject({
      ok: false,
      status: 'failed',
      error: { code: 'CREW_FAILED', task: 'estimate' },
    });
    fake.settings = { ...fake.settings, scripts: GOOD };
    fake.reset();
    const again = await product.call('POST', `/crews/runs/${failed.body.request_id}/rerun`, {}, { user_id: MEMBER });
    expect(again.body.status).toBe('completed');
    const { tasks } = await crews.seen(again.body.request_id);
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
    const { body } = await crews.start('microdao_onboarding', { about: 'I can code.' }, 'tg:780');
    await crews.asking(body.request_id);
    const { body: cancelled } = await product.call('POST', `/crews/runs/${body.request_id}/cancel?user_id=tg:780`);
    expect(cancelled).toMatchObject({ ok: true });
    expect(await crews.ended(body.request_id)).toMatchObject({ state: 'cancelled', gates: [{ state: 'closed' }] });
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
    const put = await crews.put('greeter', crew);
    expect([put.status, put.body.error]).toEqual([200, undefined]);
    fake.settings = { ...fake.settings, scripts: { 'Say hello to': [{ hello: 'Hello, Olena!' }] } };
    const { body } = await crews.start('greeter', { name: 'Olena' });
    expect(body.data).toMatchObject({ result: { hello: 'Hello, Olena!' } });
    const wrong = await crews.put('greeter', { ...crew, result: {} });
    expect(wrong.body.error.code).toBe('BODY_INVALID');
    const { body: listed } = await product.call('GET', `/crews?dao_id=${DAO}&user_id=${MEMBER}`);
    expect((listed as unknown as { crews: { id: string; own: boolean }[] }).crews.map(({ id }) => id)).toEqual([
      ...['code_review', 'greeter', 'microdao_onboarding', 'proposal_review', 'task_decomposition'],
    ]);
  });

  it('should wait for people at the cost of a timer, and finish after a deploy as its crew said when it began', async () => {
    expect((await crews.put('letters', letters('Write it plainly.'))).status).toBe(200);
    fake.settings = {
      ...fake.settings,
      scripts: { 'Draft it': [{ text: 'A draft.' }], 'Write it': [{ text: 'Yes.' }] },
    };
    const { body } = await crews.start('letters', {});
    const { version } = await crews.seen(body.request_id);
    const resting = await historyOf(body.workflow_id);
    expect(resting.length).toBeLessThan(12);
    // A reminder is due in a day; this gate closes before that.
    const [timer] = resting.flatMap(({ timerStartedEventAttributes: started }) => started ?? []);
    expect(Number(timer?.startToFireTimeout?.seconds)).toBeLessThanOrEqual(3_600);

    expect((await crews.put('letters', letters('Write it in verse.'))).status).toBe(200);
    await product.restart();
    fake.reset();
    expect(await historyOf(body.workflow_id)).toEqual(resting);
    await crews.decide(body.request_id, 'approve');
    const run = await crews.ended(body.request_id);
    expect(run).toMatchObject({ state: 'completed', version, result: { result: { text: 'Yes.' } } });
    expect(run.definition.tasks.write?.instruction).toBe('Write it plainly.');
    expect(toldTo(fake)).toEqual([expect.stringContaining('Write it plainly.')]);

    const { body: next } = await crews.start('letters', {});
    await crews.decide(next.request_id, 'approve');
    expect((await crews.ended(next.request_id)).version).not.toBe(version);
    expect(toldTo(fake).at(-1)).toContain('Write it in verse.');
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
      await crews.asking(run!);
    });

    it('should be listed for those who may start them, and unknown ones refused', async () => {
      const { data } = await client().models.list();
      expect(data.map(({ id }) => id)).toContain('crew/task_decomposition');
      const asked = client().chat.completions.create(asks('crew/none', 'Hello'));
      await expect(asked).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    });
  });
});
