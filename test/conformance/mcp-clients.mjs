// The clients of others, each of which does every tool of the product.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { obtainFromPyPi } from '../../bench/lib/fetched-parts.mjs';
import { Inspector } from './mcp-inspector.mjs';
import { PythonClient } from './mcp-python.mjs';
import { runTask } from './mcp-task-client.mjs';

const MODERN = '2026-07-28';
const TRIES = 60;

/** @param {{ url: string, key: string }} door where the product answers, and as whom */
export async function runClients(door, tell) {
  const inspector = await Inspector.obtain(door, tell);
  const python = await obtainFromPyPi(
    { name: "MCP's Python client", distribution: 'mcp', takes: 'pip takes a minute over it' },
    tell,
  );
  const outcomes = [];
  try {
    outcomes.push(await inspector.lists(tell));
    for (const era of ['legacy', 'modern']) {
      outcomes.push(await everyTool(`Inspector 2.12.0, ${era}`, inspector.in(era), tell));
    }
    for (const [era, mode] of [
      ['legacy', 'legacy'],
      ['modern', { pin: MODERN }],
    ]) {
      const client = await TypeScriptClient.connect(door, mode);
      outcomes.push(await everyTool(`TypeScript client, ${era}`, client, tell));
      const led = await PythonClient.start(python, door, era === 'legacy' ? 'legacy' : MODERN, 'not');
      outcomes.push(await everyTool(`Python client ${python.version}, ${era}`, led, tell));
    }
    outcomes.push(await asked('TypeScript client', await TypeScriptClient.connect(door, { pin: MODERN }, true), tell));
    outcomes.push(await asked('Python client', await PythonClient.start(python, door, MODERN, 'asked'), tell));
    outcomes.push(await runTask(door, tell));
    outcomes.push(await inspector.load(tell));
  } finally {
    await inspector.close();
  }
  return outcomes.every(Boolean);
}

class TypeScriptClient {
  static async connect({ url, key }, mode, canBeAsked = false) {
    const capabilities = canBeAsked ? { elicitation: {} } : {};
    const client = new Client({ name: 'conformance', version: '1' }, { versionNegotiation: { mode }, capabilities });
    if (canBeAsked) {
      client.setRequestHandler('elicitation/create', ({ params }) => ({
        action: 'accept',
        content: Object.fromEntries(
          Object.entries(params.requestedSchema.properties).map(([name, field]) => [
            name,
            field.enum ? 'approve' : 'tea',
          ]),
        ),
      }));
    }
    const headers = { authorization: `Bearer ${key}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    return new TypeScriptClient(client);
  }

  constructor(client) {
    this.client = client;
  }

  async call(name, args) {
    const { content, ...result } = await this.client.callTool({ name, arguments: args });
    return { ...result, text: content.map(({ text }) => text).join('') };
  }

  close() {
    return this.client.close();
  }
}

/** Calls every tool and looks at what came of it. */
async function everyTool(who, client, tell) {
  const failed = [];
  const says = (what, isTrue) => {
    if (!isTrue) failed.push(what);
  };
  const call = async (name, args) => {
    const result = await client.call(name, args);
    says(`${name}: ${result.text}`, !result.isError && result.structuredContent && result.text !== '');
    return result.structuredContent ?? {};
  };
  const status = async (run_id) => (await call('crew_status', { run_id })).status;
  try {
    says('router_call', (await call('router_call', { prompt: `Hello from ${who}` })).status === 'completed');
    const file = { path: `${who.replaceAll(/\W/g, '-')}.md`, content: 'Bread' };
    await call('devtools_task', { tool: 'fs_write', params: file });
    const read = await call('devtools_task', { tool: 'fs_read', params: { path: file.path } });
    says('devtools_task', JSON.stringify(read.data).includes('Bread'));
    for (const query_type of ['roles', 'members', 'proposals']) await call('microdao_query', { query_type });
    const inputs = { topic: `tea ${who}` };
    says('workflow_run', (await call('workflow_run', { workflow: 'notes', inputs })).status === 'completed');
    // What asks somebody, by a client that knows tasks and can ask nobody: it would wait for ever.
    const asks = client.patient ?? client;
    const run = async (topic) => {
      const args = { workflow: 'letters', inputs: { topic: `${topic} ${who}` } };
      return (await asks.call('workflow_run', args)).structuredContent;
    };
    const { run_id, status: waiting } = await run('tea');
    says('workflow_run', waiting === 'waiting_approval');
    await call('crew_approve', { run_id, decision: 'approve' });
    let state = await status(run_id);
    for (let n = 0; n < TRIES && state === 'running'; n += 1) state = await status(run_id);
    says(`crew_status: ${state}`, state === 'completed');
    const other = await run('salt');
    says('crew_cancel', (await call('crew_cancel', { run_id: other.run_id })).status === 'cancelled');
  } catch (error) {
    failed.push(error.message);
  } finally {
    await client.close();
  }
  tell(`${failed.length === 0 ? 'ok  ' : 'FAIL'} ${who}: every tool${failed.map((one) => `\n     ${one}`).join('')}`);
  return failed.length === 0;
}

/** One call, in which the client asks its user for an input and for a decision. */
async function asked(who, client, tell) {
  const result = await client.call('workflow_run', { workflow: 'letters', inputs: {} }).catch((error) => ({
    text: error.message,
  }));
  await client.close();
  const ok = result.structuredContent?.status === 'completed';
  tell(
    `${ok ? 'ok  ' : 'FAIL'} ${who}, modern: asks its user for an input and a decision${ok ? '' : `: ${result.text}`}`,
  );
  return ok;
}
