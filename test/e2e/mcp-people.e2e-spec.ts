import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Runtime } from '@temporalio/worker';
import { LETTERS, LETTERS_SCRIPTS as SCRIPTS } from '../factories/letters-crew.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN, CrewCalls, MEMBER } from './crew-calls.js';
import { chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { callTool, mcpCall, type McpMessage } from './mcp-client.js';

type Result = NonNullable<McpMessage['result']>;

const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const FORMS = { elicitation: {} };
const UNKNOWN = '019e0000-0000-7000-8000-000000000000';

describe('people over MCP', () => {
  let fake: WireFake;
  let product: Product;
  let crews: CrewCalls;
  let admin: string;
  const profile = (): object => chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']);

  beforeAll(async () => {
    fake = await startFakeOpenAi({ scripts: SCRIPTS });
    product = await Product.open({ profile: profile(), mcp: true });
    crews = new CrewCalls(product);
    admin = (await product.key({ dao_id: DAO, principal: ADMIN })).key;
    expect((await crews.put('letters', LETTERS)).status).toBe(200);
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });
  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, scripts: SCRIPTS, firstTokenMs: 0, tokenMs: 0, tokens: 0 };
  });

  const letters = (topic?: string, more: object = {}, key = admin): Promise<Result> => {
    const args = { workflow: 'letters', inputs: { ...(topic !== undefined && { topic }) } };
    return callTool(product, 'workflow_run', args, { key, capabilities: FORMS, more });
  };
  const accepted = (content: object): object => ({ action: 'accept', content });
  const carried = ({ requestState }: Result): object => ({ requestState });
  /** Answers to all that is asked. */
  const answers = ({ inputRequests }: Result, content: object): object => ({
    inputResponses: Object.fromEntries(Object.keys(inputRequests as object).map((key) => [key, accepted(content)])),
  });

  describe('questions', () => {
    it('should ask for what a crew needs, then for a decision, then give what came of it', async () => {
      const missing = await letters();
      expect(missing).toMatchObject({
        resultType: 'input_required',
        inputRequests: {
          inputs: { method: 'elicitation/create', params: { requestedSchema: { required: ['topic'] } } },
        },
      });
      expect(fake.stats.calls).toBe(0);
      const gate = await letters(undefined, { ...carried(missing), ...answers(missing, { topic: 'bread' }) });
      expect(gate).toMatchObject({ resultType: 'input_required' });
      const [asked] = Object.values(gate.inputRequests as Record<string, { params: { message: string } }>);
      expect(asked?.params.message).toContain('Shall it be written?');
      const end = await letters(undefined, { ...carried(gate), ...answers(gate, { decision: 'approve' }) });
      expect(end.structuredContent).toMatchObject({ status: 'completed', result: { text: 'Dear all.' } });
      expect(fake.stats.calls).toBe(2);
    });

    it('should decide nothing where the form is closed', async () => {
      const gate = await letters('salt');
      const [key] = Object.keys(gate.inputRequests as object);
      const declined = { ...carried(gate), inputResponses: { [key!]: { action: 'decline' } } };
      expect(await letters('salt', declined)).toMatchObject({ resultType: 'input_required' });
      const { run_id } = (await statusless('salt')).structuredContent as { run_id: string };
      expect((await crews.seen(run_id)).gates).toMatchObject([{ state: 'open', decisions: [] }]);
    });

    it('should name what is asked to a client that cannot ask', async () => {
      const { content, structuredContent } = await statusless('flour');
      expect(structuredContent).toMatchObject({ status: 'waiting_approval', gates: [{ may_decide: true }] });
      expect(content?.[0]?.text).toContain('crew_approve');
    });

    it('MCP 11: should take no state that was changed, is another’s, or is of another call', async () => {
      const gate = await letters('oil');
      const { requestState } = gate as { requestState: string };
      const approve = answers(gate, { decision: 'approve' });
      const [head, tail] = [requestState.slice(0, -2), requestState.slice(-2)];
      const turned = head + (tail === 'AA' ? 'BB' : 'AA');
      for (const state of [`${requestState}-TAMPERED`, turned, 'none']) {
        expect(await refusalOf(admin, 'oil', { ...approve, requestState: state })).toBe(-32602);
      }
      const other = (await product.key({ dao_id: DAO, principal: ADMIN })).key;
      const member = (await product.key({ dao_id: DAO, principal: MEMBER })).key;
      for (const key of [other, member]) {
        expect(await refusalOf(key, 'oil', { ...approve, requestState })).toBe(-32602);
      }
      // Of other arguments: nothing of it is decided.
      expect(await letters('wine', { ...approve, requestState })).toMatchObject({ resultType: 'input_required' });
      const end = await letters('oil', { ...approve, requestState });
      expect(end.structuredContent).toMatchObject({ status: 'completed' });
    });

    /** The same call by a client that can ask nobody. */
    const statusless = (topic: string): Promise<Result> =>
      callTool(product, 'workflow_run', { workflow: 'letters', inputs: { topic } }, { key: admin });

    async function refusalOf(key: string, topic: string, more: object): Promise<number | undefined> {
      const params = { name: 'workflow_run', arguments: { workflow: 'letters', inputs: { topic } }, ...more };
      const { answer } = await mcpCall(product, 'tools/call', params, { key, capabilities: FORMS });
      return answer?.error?.code;
    }
  });

  describe('tasks', () => {
    type At = Pick<Product, 'mcpUrl'>;
    const call = async (method: string, params: Record<string, unknown>, key = admin, at: At = product) =>
      (await mcpCall(at, method, params, { key, capabilities: TASKS })).answer;
    const get = async (taskId: string, at?: At): Promise<Result> => {
      const found = await call('tasks/get', { taskId }, admin, at);
      if (!found?.result) throw new Error(JSON.stringify(found));
      return found.result;
    };
    async function begun(name: string, args: object): Promise<string> {
      const result = await callTool(product, name, args, { key: admin, capabilities: TASKS });
      expect(result).toMatchObject({ resultType: 'task', status: 'working', taskId: expect.any(String) });
      return String(result.taskId);
    }
    const crewTask = (topic: string): Promise<string> =>
      begun('workflow_run', { workflow: 'letters', inputs: { topic } });
    async function becomes(taskId: string, status: string, at?: At): Promise<Result> {
      await until(async () => (await get(taskId, at)).status === status, status, 20_000);
      return get(taskId, at);
    }

    it('should go on as a task, ask, and end with the result of the tool', async () => {
      const taskId = await crewTask('tea');
      const asking = await becomes(taskId, 'input_required');
      const update = { taskId, ...answers(asking, { decision: 'approve' }) };
      expect(await call('tasks/update', update)).toMatchObject({ result: { resultType: 'complete' } });
      const { result } = await becomes(taskId, 'completed');
      expect(result).toMatchObject({
        resultType: 'complete',
        structuredContent: { status: 'completed', result: { text: 'Dear all.' } },
      });
      expect((await call('tasks/update', update))?.result).toBeDefined();
      expect((await call('tasks/cancel', { taskId }))?.result).toBeDefined();
      expect((await get(taskId)).status).toBe('completed');
    });

    it('should be the request itself: it outlives a restart, and any instance answers', async () => {
      const taskId = await crewTask('coffee');
      await becomes(taskId, 'input_required');
      await product.restart();
      // Both are in this process, which has one runtime of Temporal's.
      const install = jest.spyOn(Runtime, 'install').mockImplementation(() => Runtime.instance());
      const second = await Product.open({ profile: profile(), mcp: true, database: product.databaseUrl! });
      try {
        const asking = await becomes(taskId, 'input_required', second);
        const update = { taskId, ...answers(asking, { decision: 'approve' }) };
        expect((await call('tasks/update', update, admin, second))?.result).toBeDefined();
        await becomes(taskId, 'completed');
        expect(await get(taskId, second)).toMatchObject({ status: 'completed' });
      } finally {
        install.mockRestore();
        await second.close();
      }
    }, 60_000);

    it('should stop the work when it is cancelled', async () => {
      fake.settings = { ...fake.settings, tokens: 4_000, tokenMs: 5 };
      const taskId = await begun('router_call', { prompt: 'Write #task' });
      await until(() => fake.stats.inFlight === 1, 'the model');
      expect(await call('tasks/cancel', { taskId })).toMatchObject({ result: { resultType: 'complete' } });
      await becomes(taskId, 'cancelled');
      await until(() => fake.stats.aborted === 1, 'the model to be let go');
    });

    it('should tell failures of work as results', async () => {
      fake.settings = { ...fake.settings, scripts: { ...SCRIPTS, 'Draft it': ['no'] } };
      const taskId = await crewTask('ink');
      const { result } = await becomes(taskId, 'completed');
      expect(result).toMatchObject({ isError: true, structuredContent: { ok: false } });
    });

    it('MCP 9: should say the same of another’s as of what is nowhere, and nothing to who knows no tasks', async () => {
      const taskId = await crewTask('milk');
      const { key } = await product.key({ dao_id: DAO, principal: 'tg:222' });
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
        const params = method === 'tasks/update' ? { inputResponses: {} } : {};
        const foreign = await call(method, { taskId, ...params }, key);
        expect(foreign?.error?.code).toBe(-32602);
        expect(foreign?.error).toEqual((await call(method, { taskId: UNKNOWN, ...params }, key))?.error);
        const { answer, status } = await mcpCall(product, method, { taskId, ...params }, { key: admin });
        expect([status, answer?.error?.code]).toEqual([400, -32021]);
      }
      expect((await get(taskId)).status).not.toBe('cancelled');
    });

    it('should be told only to clients that know them', async () => {
      const { answer } = await mcpCall(product, 'server/discover', {}, { key: admin });
      expect(answer?.result?.capabilities).toMatchObject(TASKS);
      const plain = await callTool(product, 'router_call', { prompt: 'Hello' }, { key: admin });
      expect(plain.resultType).toBe('complete');
    });
  });
});
