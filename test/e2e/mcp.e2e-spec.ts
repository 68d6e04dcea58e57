import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import { GOOD } from '../fakes/crew-answers.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN, CONTRIBUTOR, CrewCalls, MEMBER } from './crew-calls.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { callTool, mcpCall, type McpMessage, type McpReply } from './mcp-client.js';

type Result = NonNullable<McpMessage['result']>;

interface Listed {
  name: string;
  title: string;
  description: string;
  annotations: Record<string, boolean>;
  inputSchema: AnySchema & { type: string };
  outputSchema: AnySchema & { type: string };
}

/** What guests are told who call a tool with arguments that fit: `NOT_FOUND` of what they may not see. */
const FOR_GUESTS: Readonly<Record<string, readonly [args: object, refusal: object | undefined][]>> = {
  router_call: [[{ prompt: 'Hello' }, { required_entitlement: 'chat.write' }]],
  devtools_task: [[{ tool: 'fs_list' }, { required_entitlement: 'agent.devtools' }]],
  workflow_run: [[{ workflow: 'task_decomposition', inputs: { task: 'Dig' } }, { required_entitlement: 'agent.crew' }]],
  microdao_query: [
    [{ query_type: 'roles' }, undefined],
    [{ query_type: 'members' }, { required_entitlement: 'chat.write' }],
  ],
  crew_status: [[{}, { code: 'REQUEST_NOT_FOUND' }]],
  crew_approve: [[{ decision: 'approve' }, { code: 'RUN_NOT_FOUND' }]],
  crew_cancel: [[{}, { code: 'REQUEST_NOT_FOUND' }]],
};

describe('MCP', () => {
  let fake: WireFake;
  let product: Product;
  let crews: CrewCalls;
  let tools: Listed[];
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });

  beforeAll(async () => {
    fake = await startFakeOpenAi({ scripts: GOOD });
    product = await Product.open({
      profile: chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']),
      mcp: true,
    });
    crews = new CrewCalls(product);
    const { answer } = await mcpCall(product, 'tools/list');
    tools = answer?.result?.tools as Listed[];
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });
  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, firstTokenMs: 0, tokenMs: 0, tokens: 0 };
  });

  const keyOf = async (principal: string): Promise<string> => (await product.key({ dao_id: DAO, principal })).key;
  const idOf = ({ structuredContent: body }: Result): string => String(body?.request_id ?? body?.run_id);
  const ask = (prompt: string, options?: Parameters<typeof callTool>[3]): Promise<Result> =>
    callTool(product, 'router_call', { prompt }, options);

  /** Checks what a tool gave against what it says it gives. */
  function fitting(name: string, result: Result): Result {
    const tool = tools.find((one) => one.name === name);
    expect(tool).toBeDefined();
    expect([ajv.validate(tool!.outputSchema, result.structuredContent), ajv.errors]).toEqual([true, null]);
    expect(result.content?.[0]?.text).toEqual(expect.any(String));
    return result;
  }

  describe('what a client has settled', () => {
    const settled = { 'x-dagi-user': MEMBER, 'x-dagi-dao': DAO };
    const CALLS: [name: string, ofAnother: (named: object) => object][] = [
      ['router_call', (named) => ({ prompt: 'Who am I?', metadata: named })],
      ['devtools_task', (named) => ({ tool: 'fs_list', params: named })],
    ];

    it.each(CALLS)('should not be changed by arguments of %s, which a model writes', async (name, of) => {
      const call = (named: object): Promise<Result> => callTool(product, name, of(named), { headers: settled });
      const refused = (code: string): object => ({ isError: true, structuredContent: { error: { code } } });
      expect(await call({ user_id: ADMIN })).toMatchObject(refused('ACTING_NOT_ALLOWED'));
      expect(await call({ dao_id: 'other-dao' })).toMatchObject(refused('DAO_FORBIDDEN'));
      expect((await call({ user_id: MEMBER, dao_id: DAO })).structuredContent).not.toMatchObject({
        error: { code: expect.stringMatching(/ACTING|FORBIDDEN/) },
      });
    });

    it('should hold for crews and lists, too', async () => {
      const call = (name: string, args: object): Promise<Result> => callTool(product, name, args, { headers: settled });
      const refused = { isError: true, structuredContent: { error: { code: 'DAO_FORBIDDEN' } } };
      const run = { workflow: 'task_decomposition', inputs: { dao_id: 'other-dao', task: 'Dig' } };
      expect(await call('workflow_run', run)).toMatchObject(refused);
      expect(await call('microdao_query', { query_type: 'roles', dao_id: 'other-dao' })).toMatchObject(refused);
    });
  });

  it('should log no word of what a client sends that nothing asked for', async () => {
    const words = 'what-nobody-asked-for '.repeat(1_000);
    const response = await fetch(product.mcpUrl, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ authorization: `Bearer ${ADMIN_KEY}`, 'mcp-protocol-version': '2025-11-25' },
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, result: { words } }),
    });
    expect(response.status).toBeLessThan(500);
    await ask('After that');
    expect(JSON.stringify(await product.logLines())).not.toContain('what-nobody-asked-for');
  });

  describe('the protocol', () => {
    it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])('MCP 4: agrees on %s', async (version) => {
      expect((await initialize(version)).protocolVersion).toBe(version);
    });

    it('MCP 4: offers the newest of before to who asks for what it does not know', async () => {
      expect((await initialize('2027-01-01')).protocolVersion).toBe('2025-11-25');
    });

    async function initialize(protocolVersion: string): Promise<Result> {
      const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } };
      const { answer } = await mcpCall(product, 'initialize', params, { legacy: true });
      expect(answer?.error).toBeUndefined();
      return answer!.result!;
    }

    it('MCP 6: tells a model of bad arguments, and a program of an unknown tool', async () => {
      const bad = await callTool(product, 'microdao_query', { query_type: 'secrets', more: 1 });
      expect(bad).toMatchObject({ isError: true, structuredContent: { error: { code: 'BODY_INVALID' } } });
      expect(bad.content?.[0]?.text).toContain('query_type');
      const { answer } = await mcpCall(product, 'tools/call', { name: 'no_such_tool', arguments: {} });
      expect(answer?.error?.code).toBe(-32602);
    });

    it('MCP 7: tells of progress where it is asked to, in rising numbers, and nothing otherwise', async () => {
      fake.settings = { ...fake.settings, firstTokenMs: 600 };
      const called = (prompt: string, _meta: object): Promise<McpReply> =>
        mcpCall(product, 'tools/call', { name: 'router_call', arguments: { prompt }, _meta });
      const { notifications, answer } = await called('Tell #progress', { progressToken: 'p' });
      const steps = notifications.map(({ method, params }) => ({ method, ...params }));
      expect(steps.length).toBeGreaterThanOrEqual(2);
      steps.forEach((step, n) => {
        expect(step).toMatchObject({ method: 'notifications/progress', progressToken: 'p', progress: n + 1 });
      });
      expect(answer?.result?.isError).not.toBe(true);
      expect((await called('Tell #silence', {})).notifications).toEqual([]);
    });

    it('MCP 12: takes no batch, nothing too large or too deep, and lives on', async () => {
      const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
      const call = (args: string): string =>
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"router_call","arguments":${args}}}`;
      const bodies = [
        call(JSON.stringify({ prompt: 'x'.repeat(1_000_000) })),
        call(`{"prompt":"x","metadata":{"deep":${deep}}}`),
        `[${call('{}')}]`,
        '[]',
        '{"jsonrpc":',
      ];
      for (const body of bodies) {
        const { status } = await fetch(product.mcpUrl, { method: 'POST', headers: plain(), body });
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }
      expect((await callTool(product, 'microdao_query', { query_type: 'roles' })).isError).not.toBe(true);
      expect(fake.stats.calls).toBe(0);
    });

    it('MCP 13: has no sessions', async () => {
      for (const method of ['GET', 'DELETE']) {
        const headers = { authorization: `Bearer ${ADMIN_KEY}`, accept: 'text/event-stream' };
        expect((await fetch(product.mcpUrl, { method, headers })).status).toBe(405);
      }
    });

    const plain = (): Record<string, string> => ({
      ...{ authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      accept: 'application/json, text/event-stream',
    });
  });

  describe('tools', () => {
    it('should each say what it is, what it does to the world, and what it takes and gives', () => {
      expect(tools.map(({ name }) => name)).toEqual(Object.keys(FOR_GUESTS));
      for (const tool of tools) {
        expect(tool).toMatchObject({
          ...{ title: expect.stringMatching(/\S/), description: expect.stringMatching(/\S{3}.{40}/s) },
          annotations: {
            ...{ readOnlyHint: expect.any(Boolean), destructiveHint: expect.any(Boolean) },
            ...{ idempotentHint: expect.any(Boolean), openWorldHint: expect.any(Boolean) },
          },
          ...{ inputSchema: { type: 'object', additionalProperties: false }, outputSchema: { type: 'object' } },
        });
        // What many clients' models cannot be told.
        const schema = JSON.stringify(tool.inputSchema);
        for (const word of ['"$ref"', '"oneOf"', '"allOf"', '"not"', '"anyOf"']) expect(schema).not.toContain(word);
        expect(() => ajv.compile(tool.inputSchema)).not.toThrow();
      }
    });

    it('should refuse guests what they may not do, each of them', async () => {
      const key = await keyOf('tg:779');
      const { run_id } = await startedBy(MEMBER);
      for (const [name, calls] of Object.entries(FOR_GUESTS)) {
        for (const [args, refusal] of calls) {
          const given = name.startsWith('crew_') ? { run_id, ...args } : args;
          const result = await callTool(product, name, given, { key });
          expect({ name, refused: result.isError ?? false }).toEqual({ name, refused: refusal !== undefined });
          if (refusal) expect(result.structuredContent).toMatchObject({ ok: false, error: refusal });
        }
      }
    });

    it('should answer as the API does, and as they say', async () => {
      const chat = fitting('router_call', await ask('Hello #tool'));
      expect(chat.structuredContent).toMatchObject({ ok: true, status: 'completed', mode: 'chat' });
      const { body } = await product.call('GET', `/requests/${idOf(chat)}`);
      expect(body).toMatchObject({ ok: true, request_id: idOf(chat) });
      const key = await keyOf(CONTRIBUTOR);
      const task = (tool: string, params: object): Promise<Result> =>
        callTool(product, 'devtools_task', { tool, params }, { key });
      fitting('devtools_task', await task('fs_write', { path: 'notes.md', content: 'Bread' }));
      const read = fitting('devtools_task', await task('fs_read', { path: 'notes.md' }));
      expect(read.content?.[0]?.text).toContain('Bread');
      for (const query_type of ['roles', 'members', 'proposals']) {
        const found = fitting('microdao_query', await callTool(product, 'microdao_query', { query_type }));
        expect(found.structuredContent).toMatchObject({ dao_id: DAO, query_type });
      }
    });

    it('should run a crew, say how it stands, take a decision, and stop one', async () => {
      const key = await keyOf(MEMBER);
      const task = { workflow: 'task_decomposition', inputs: { task: 'Make a garden' } };
      const done = fitting('workflow_run', await callTool(product, 'workflow_run', task, { key }));
      expect(done.structuredContent).toMatchObject({ status: 'completed', crew: 'task_decomposition' });
      expect(done.content?.[0]?.text).toMatch(/^Status: completed/);

      const { run_id, gates } = await startedBy(MEMBER);
      expect(gates).toMatchObject([{ kind: 'approval', may_decide: false }]);
      const admin = await keyOf(ADMIN);
      const asked = fitting('crew_status', await callTool(product, 'crew_status', { run_id }, { key: admin }));
      expect(asked.content?.[0]?.text).toContain('crew_approve');
      const decided = { run_id, decision: 'approve', comment: 'Welcome!' };
      fitting('crew_approve', await callTool(product, 'crew_approve', decided, { key: admin }));
      expect(await crews.ended(run_id)).toMatchObject({ state: 'completed' });

      const other = await startedBy(MEMBER, 'I bake.');
      const stopped = await callTool(product, 'crew_cancel', { run_id: other.run_id }, { key });
      expect(fitting('crew_cancel', stopped).structuredContent).toMatchObject({ status: 'cancelled' });
      expect(stopped.isError).not.toBe(true);
    });

    it('MCP 9: should say the same of what is another DAO’s as of what is nowhere', async () => {
      await product.createDao('hill-dao', { 'tg:9': ['admin'] });
      const { key } = await product.key({ dao_id: 'hill-dao', principal: 'tg:9' });
      const { run_id } = await startedBy(MEMBER, 'I sing.');
      for (const [name, args] of [
        ['crew_status', {}],
        ['crew_approve', { decision: 'approve' }],
        ['crew_cancel', {}],
      ] as const) {
        const answers = [run_id, '019e0000-0000-7000-8000-000000000000'].map((id) =>
          callTool(product, name, { run_id: id, ...args }, { key }),
        );
        const [foreign, unknown] = await Promise.all(answers);
        expect(foreign).toMatchObject({ isError: true });
        expect(foreign?.structuredContent).toEqual(unknown?.structuredContent);
      }
      expect((await crews.seen(run_id)).state).not.toBe('cancelled');
    });

    /** A run that waits for an admin. */
    async function startedBy(user: string, about = 'I can code.'): Promise<{ run_id: string; gates: object[] }> {
      const args = { workflow: 'microdao_onboarding', inputs: { about } };
      const result = await callTool(product, 'workflow_run', args, { key: await keyOf(user) });
      expect(result.structuredContent).toMatchObject({ status: 'waiting_approval' });
      return result.structuredContent as { run_id: string; gates: object[] };
    }
  });

  describe('the same call again', () => {
    it('should find what goes on, five times, and be given its end once', async () => {
      fake.settings = { ...fake.settings, firstTokenMs: 2_000 };
      for (let n = 0; n < 5; n += 1) await closedOnceBegun('Ask #again');
      const end = await ask('Ask #again');
      expect(end.structuredContent).toMatchObject({ status: 'completed' });
      expect(fake.stats).toMatchObject({ calls: 1, aborted: 0 });
      fake.settings = { ...fake.settings, firstTokenMs: 0 };
      const anew = await ask('Ask #again');
      expect(idOf(anew)).not.toBe(idOf(end));
      expect(fake.stats.calls).toBe(2);
    });

    it('should begin one run of a crew', async () => {
      const key = await keyOf(MEMBER);
      const args = { workflow: 'microdao_onboarding', inputs: { about: 'I drive.' } };
      const all = await Promise.all(Array.from({ length: 5 }, () => callTool(product, 'workflow_run', args, { key })));
      const again = await callTool(product, 'workflow_run', args, { key });
      expect(new Set([...all, again].map(idOf)).size).toBe(1);
    });

    it('should be another call by another key', async () => {
      fake.settings = { ...fake.settings, firstTokenMs: 500 };
      const [one, two] = await Promise.all(
        [await keyOf(MEMBER), await keyOf(MEMBER)].map((key) => ask('Ask #each', { key })),
      );
      expect(idOf(one!)).not.toBe(idOf(two!));
      expect(fake.stats.calls).toBe(2);
    });

    it('should find what a restart of the product left', async () => {
      fake.settings = { ...fake.settings, firstTokenMs: 1_500 };
      let id: string | undefined;
      const onMessage = ({ params }: McpMessage): void => {
        id ??= acceptedIn(params);
      };
      const open = ask('Ask #restart', { meta: { progressToken: 1 }, onMessage }).catch(() => undefined);
      await until(() => id !== undefined && fake.stats.calls > 0, 'the model');
      await product.restart();
      const cut = await open;
      expect(['running', 'completed', undefined]).toContain(cut?.structuredContent?.status);
      expect(await statusOf(id!)).not.toBe('cancelled');
      // Whoever was given its end before the stop has had it.
      if (cut?.structuredContent?.status === 'completed') return;
      const end = await ask('Ask #restart');
      expect(end.structuredContent).toMatchObject({ status: 'completed', request_id: id });
    }, 60_000);
  });

  describe('a connection that breaks', () => {
    it('MCP 8: should stop a modern call, model and all, when nobody comes back', async () => {
      fake.settings = { ...fake.settings, tokens: 4_000, tokenMs: 5 };
      const id = await closedOnceBegun('Write #closed');
      await until(() => fake.stats.aborted === 1 && fake.stats.inFlight === 0, 'the model to be let go', 15_000);
      await until(async () => (await statusOf(id)) === 'cancelled', 'the record');
      fake.settings = { ...fake.settings, tokens: 3, tokenMs: 0 };
      expect(idOf(await ask('Write #closed'))).not.toBe(id);
    });

    it.each([
      ['of an older client', { legacy: true }],
      ['of one that says that it comes back', { headers: { 'x-dagi-detached': '1' } }],
    ])('should mean nothing %s', async (_who, options) => {
      fake.settings = { ...fake.settings, firstTokenMs: 4_000 };
      const prompt = `Write #${JSON.stringify(options).length}`;
      const id = await closedOnceBegun(prompt, options);
      await until(async () => (await statusOf(id)) === 'completed', 'its end', 20_000);
      expect(idOf(await ask(prompt, options))).toBe(id);
      expect(fake.stats).toMatchObject({ calls: 1, aborted: 0 });
    });
  });

  const statusOf = async (id: string): Promise<string> => (await product.call('GET', `/requests/${id}`)).body.status;
  const acceptedIn = (params: McpMessage['params']): string | undefined =>
    /accepted as (\S+)/.exec(String(params?.message))?.[1];

  /** Calls, and closes the connection as soon as the call is known to have begun. @returns the request's id */
  async function closedOnceBegun(prompt: string, options: Parameters<typeof callTool>[3] = {}): Promise<string> {
    const closing = new AbortController();
    let id: string | undefined;
    const onMessage = ({ params }: McpMessage): void => {
      id ??= acceptedIn(params);
      if (id !== undefined) closing.abort();
    };
    const meta = { progressToken: 1 };
    await expect(ask(prompt, { ...options, meta, signal: closing.signal, onMessage })).rejects.toThrow();
    if (id === undefined) throw new Error('it was closed before it began');
    return id;
  }
});
