import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, type ClientOptions, type Progress } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Runtime as TemporalRuntime } from '@temporalio/worker';
import { readEnv } from '../../config/env.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { testCache } from '../support/sandbox.js';
import { temporalAddress } from '../support/temporal.js';
import { ADMIN, CrewCalls } from './crew-calls.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { callTool, mcpCall } from './mcp-client.js';

const MAIN = resolve('dist/src/cli/main.js');
const TEXT = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
const NOTE = {
  name: 'Note',
  description: 'Writes a note.',
  inputs: { type: 'object', properties: { topic: { type: 'string' } }, required: ['topic'] },
  agents: { writer: { role: 'Writer', goal: 'Write.' } },
  tasks: {
    draft: {
      ...{ agent: 'writer', instruction: 'Draft it.', uses: ['inputs.topic'], output: TEXT },
      approval: { ask: 'Shall it be written?', roles: ['admin'], self: true },
    },
    write: { agent: 'writer', instruction: 'Write it.', needs: ['draft'], uses: ['draft.text'], output: TEXT },
  },
  result: { text: 'write.text' },
};
const SCRIPTS = { 'Draft it': [{ text: 'A draft.' }], 'Write it': [{ text: 'Dear all.' }] };
const ERAS = [
  ['modern', { pin: '2026-07-28' }],
  ['legacy', 'legacy'],
] as const;

/** A way to the server that can break, and be away. */
class Road {
  private readonly sockets = new Set<Socket>();
  private isOpen = true;
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(target: string): Promise<Road> {
    const { port: to } = new URL(target);
    const server = createServer((socket) => {
      if (!road.isOpen) return void socket.destroy();
      const onward = connect(Number(to), '127.0.0.1');
      for (const one of [socket, onward]) {
        road.sockets.add(one);
        one.on('error', () => one.destroy());
        one.on('close', () => (one === socket ? onward : socket).destroy());
      }
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const road = new Road(server, target.replace(to, String((server.address() as AddressInfo).port)));
    return road;
  }

  break(): void {
    this.isOpen = false;
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }
  mend(): void {
    this.isOpen = true;
  }
  async close(): Promise<void> {
    this.break();
    await new Promise((done) => this.server.close(done));
  }
}

describe('MCP over stdio', () => {
  let fake: WireFake;
  let product: Product;
  let crews: CrewCalls;
  let key: string;
  let road: Road;
  const open: { close: () => Promise<void> }[] = [];
  const profile = (): object => chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']);

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error('build first: npm run -s build');
    fake = await startFakeOpenAi({ scripts: SCRIPTS });
    product = await Product.open({ profile: profile(), mcp: true });
    crews = new CrewCalls(product);
    key = (await product.key({ dao_id: DAO, principal: ADMIN })).key;
    road = await Road.to(product.mcpUrl);
    expect((await crews.put('note', NOTE)).status).toBe(200);
  });
  afterAll(async () => {
    await road.close();
    await product.close();
    await fake.close();
  });
  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, firstTokenMs: 0, tokenMs: 0, tokens: 0 };
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });

  const environment = (more: Record<string, string> = {}): Record<string, string> => ({
    PATH: process.env.PATH ?? '',
    DAGI_HOME: join(product.home, 'none'),
    DAGI_MCP_URL: road.url,
    DAGI_API_KEY: key,
    ...more,
  });
  const program = (more: Record<string, string> = {}): ConstructorParameters<typeof StdioClientTransport>[0] => ({
    command: process.execPath,
    args: [MAIN, 'mcp', '--stdio'],
    env: environment(more),
    stderr: 'pipe',
  });

  async function client(
    mode: NonNullable<ClientOptions['versionNegotiation']>['mode'],
    capabilities: ClientOptions['capabilities'] = {},
  ): Promise<Client> {
    const made = new Client(
      { name: 'test', version: '1' },
      { capabilities, versionNegotiation: { ...(mode && { mode }) } },
    );
    open.push(made);
    await made.connect(new StdioClientTransport(program()));
    return made;
  }

  async function runsOf(): Promise<number> {
    const counted = product.database
      .of(DAO)
      .selectFrom('requests')
      .where('dao_id', '=', DAO)
      .where('mode', '=', 'crew');
    const { n } = await counted.select(({ fn }) => fn.countAll<string>().as('n')).executeTakeFirstOrThrow();
    return Number(n);
  }

  describe.each(ERAS)('with a %s client', (_, mode) => {
    it('MCP 10: should list the tools that HTTP lists, and answer a chat with progress', async () => {
      const made = await client(mode);
      const { answer } = await mcpCall(product, 'tools/list', {}, { key });
      expect((await made.listTools()).tools).toEqual(answer?.result?.tools);
      fake.settings = { ...fake.settings, firstTokenMs: 300 };
      const told: Progress[] = [];
      const call = { name: 'router_call', arguments: { prompt: `How long, ${JSON.stringify(mode)}?` } };
      const result = await made.callTool(call, { onprogress: (progress) => void told.push(progress) });
      expect(result).toMatchObject({ structuredContent: { ok: true, status: 'completed' } });
      expect(told.length).toBeGreaterThanOrEqual(2);
      expect(told.map(({ progress }) => progress)).toEqual(
        [...new Set(told.map(({ progress }) => progress))].sort((a, b) => a - b),
      );
      await expect(made.callTool({ name: 'nothing', arguments: {} })).rejects.toMatchObject({ code: -32_602 });
    });

    it('should ask for what is missing and for a decision, then give what came of it', async () => {
      const made = await client(mode, { elicitation: { form: {} } });
      const asked: string[] = [];
      made.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        const { properties } = (params as unknown as { requestedSchema: { properties: object } }).requestedSchema;
        const content = 'topic' in properties ? { topic: `bread, ${JSON.stringify(mode)}` } : { decision: 'approve' };
        return { action: 'accept', content } as never;
      });
      const call = { name: 'workflow_run', arguments: { workflow: 'note', inputs: {} } };
      const result = await made.callTool(call, { onprogress: () => undefined });
      // What is told in the moment after a decision may be that it goes on.
      const { run_id } = (result as { structuredContent: { run_id: string } }).structuredContent;
      expect(await crews.ended(run_id)).toMatchObject({
        state: 'completed',
        result: { result: { text: 'Dear all.' } },
      });
      expect(asked).toEqual([
        expect.stringContaining('Writes a note.'),
        expect.stringContaining('Shall it be written?'),
      ]);
    });

    it('should cancel what is cancelled, model and all', async () => {
      const made = await client(mode);
      fake.settings = { ...fake.settings, firstTokenMs: 60_000 };
      const stop = new AbortController();
      const call = { name: 'router_call', arguments: { prompt: `Never mind, ${JSON.stringify(mode)}.` } };
      const cancelled = made.callTool(call, { signal: stop.signal });
      await until(() => fake.stats.inFlight === 1, 'the call to the model');
      stop.abort('the user pressed stop');
      await expect(cancelled).rejects.toThrow();
      await until(() => fake.stats.aborted === 1, 'the end of the call to the model', 20_000);
    });

    it('should go on with what a client’s time ran out for, and give its end to the same call', async () => {
      const made = await client(mode);
      fake.settings = { ...fake.settings, firstTokenMs: 4_500 };
      const call = { name: 'router_call', arguments: { prompt: `Take your time, ${JSON.stringify(mode)}.` } };
      await expect(made.callTool(call, { timeout: 1_500 })).rejects.toThrow(/tim/i);
      expect(await made.callTool(call)).toMatchObject({ structuredContent: { status: 'completed' } });
      expect([fake.stats.calls, fake.stats.aborted]).toEqual([1, 0]);
    });
  });

  it('should serve a client that looks for the newer revision first', async () => {
    const made = await client('auto');
    expect((await made.listTools()).tools.length).toBeGreaterThan(5);
  });

  it('should answer the same call though the server is restarted in the middle of it', async () => {
    const made = await client('legacy');
    const before = await runsOf();
    fake.settings = { ...fake.settings, firstTokenMs: 2_000 };
    const call = { name: 'workflow_run', arguments: { workflow: 'note', inputs: { topic: 'restart' } } };
    const running = made.callTool(call, { timeout: 60_000 });
    await until(() => fake.stats.inFlight === 1, 'the call to the model');
    // As one sees it who was connected to a process that is killed.
    road.break();
    await product.restart();
    road.mend();
    const { run_id } = ((await running) as { structuredContent: { run_id: string } }).structuredContent;
    expect(await crews.asking(run_id)).toMatchObject({ ask: 'Shall it be written?' });
    // What was begun before is what came of it: nothing was begun twice.
    expect(await runsOf()).toBe(before + 1);
  });

  describe('as a process', () => {
    function start(env: Record<string, string>): { child: ChildProcess; out: () => string; said: () => string } {
      const child = spawn(process.execPath, [MAIN, 'mcp', '--stdio'], { env, stdio: 'pipe' });
      const [out, said] = [[] as string[], [] as string[]];
      child.stdout.on('data', (piece: Buffer) => out.push(piece.toString()));
      child.stderr.on('data', (piece: Buffer) => said.push(piece.toString()));
      return { child, out: () => out.join(''), said: () => said.join('') };
    }
    const exit = (child: ChildProcess): Promise<number | null> =>
      new Promise((done) => {
        child.once('close', done);
      });

    it('should write nothing but messages, whatever comes, and end when its input does', async () => {
      const { child, out, said } = start(environment());
      const lines = (): string[] => out().split('\n').filter(Boolean);
      const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
      child.stdin?.write('this is no message\n{"jsonrpc":"2.0"}\n\n');
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize })}\n`);
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' })}\n`);
      await until(() => lines().length >= 2, 'two answers', 20_000);
      fake.settings = { ...fake.settings, firstTokenMs: 1_000 };
      const call = { name: 'router_call', arguments: { prompt: 'Nobody waits for this.' } };
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: call })}\n`);
      await until(() => fake.stats.inFlight === 1, 'the call to the model');
      const ending = exit(child);
      const endedAt = performance.now();
      child.stdin?.end();
      expect(await ending).toBe(0);
      expect(performance.now() - endedAt).toBeLessThan(1_000);
      expect(lines().map((line) => JSON.parse(line) as object)).toEqual([
        expect.objectContaining({ jsonrpc: '2.0', id: 1 }),
        expect.objectContaining({ jsonrpc: '2.0', id: 2 }),
      ]);
      expect(said()).toContain('bridge to');
      // What a client began outlives it.
      await until(() => fake.stats.completed === 1, 'the answer that nobody waits for');
    });

    it('should say what to do where nothing runs, and what is wrong with a key', async () => {
      const nothing = start(environment({ DAGI_MCP_URL: '', DAGI_API_KEY: '' }));
      expect(await exit(nothing.child)).toBe(1);
      expect(nothing.said()).toMatch(/^NOT_RUNNING: .*npm run up/);
      expect(nothing.out()).toBe('');
      const bad = start(environment({ DAGI_API_KEY: 'wrong-wrong-wrong' }));
      const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
      bad.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);
      await until(() => bad.out().includes('\n'), 'the refusal', 20_000);
      expect(JSON.parse(bad.out())).toMatchObject({
        id: 1,
        error: { message: expect.stringContaining('DAGI_API_KEY') },
      });
      const ending = exit(bad.child);
      bad.child.stdin?.end();
      expect(await ending).toBe(0);
    });
  });

  describe('a server of its own', () => {
    const others: Runtime[] = [];
    afterAll(() => Promise.all(others.map((one) => one.close())));

    it('should serve beside the API, in several processes, and join what another began', async () => {
      const env = readEnv({
        ...{ DAGI_HOME: join(product.home, 'beside'), DAGI_CACHE: testCache(), DAGI_ADMIN_KEY: ADMIN_KEY },
        ...{ DAGI_PROFILE: join(product.home, 'profile.yml'), DATABASE_URL: product.databaseUrl },
      });
      const parts = {
        temporalAddress: temporalAddress(),
        modelPath: undefined,
        logFile: join(product.home, 'beside.log'),
      };
      // It is there once per process, for this product's own.
      const install = jest.spyOn(TemporalRuntime, 'install').mockImplementation(() => TemporalRuntime.instance());
      others.push(await openRuntime(env, parts), await openRuntime(env, parts));
      install.mockRestore();
      const [first, second] = await Promise.all(
        others.map(async (one) => ({ mcpUrl: await one.startMcp({ host: '127.0.0.1', port: 0 }) })),
      );
      fake.settings = { ...fake.settings, firstTokenMs: 1_000 };
      const ask = (where: { mcpUrl: string } | undefined): Promise<object> =>
        callTool(where ?? { mcpUrl: '' }, 'router_call', { prompt: 'Of whom do you hear?' }, { key });
      const one = ask(first);
      await until(() => fake.stats.inFlight === 1, 'the call to the model');
      expect(await ask(second)).toMatchObject({ structuredContent: { status: 'completed' } });
      expect(await one).toMatchObject({ structuredContent: { status: 'completed' } });
      expect(fake.stats.calls).toBe(1);
    });
  });
});
