// The official client of the tasks extension leads a crew to its end, through an approval.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import { EventSourceParserStream } from 'eventsource-parser/stream';

const VERSION = '2026-07-28';
const INFO = { name: 'conformance-tasks', version: '1' };
const CAPABILITIES = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };

/** The client of the extension writes its own messages; somebody else is to carry them. */
function carrierTo({ url, key }, methods) {
  return async (message, { signal } = {}) => {
    methods.push(message.method);
    const { name, taskId } = message.params ?? {};
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...{ accept: 'application/json, text/event-stream', 'mcp-protocol-version': VERSION },
        ...{ 'mcp-method': message.method, ...((name ?? taskId) && { 'mcp-name': name ?? taskId }) },
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: methods.length, ...message }),
      ...(signal && { signal }),
    });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return answerIn(await response.json());
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { data } of events) {
      const read = JSON.parse(data);
      if (read.method === undefined) return answerIn(read);
    }
    throw new Error(`${message.method} was not answered`);
  };
}

const answerIn = ({ result, error }) => (error ? { kind: 'error', error } : { kind: 'result', result });

export async function runTask(door, tell) {
  const client = new Client(INFO, { versionNegotiation: { mode: { pin: VERSION } }, capabilities: CAPABILITIES });
  const methods = [];
  let came = '';
  try {
    const headers = { authorization: `Bearer ${door.key}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(door.url), { requestInit: { headers } }));
    const session = createTaskSessionFromClient(client, {
      endpointId: 'conformance',
      rawDispatch: carrierTo(door, methods),
      v2RequestFraming: { protocolVersion: VERSION, clientInfo: INFO, clientCapabilities: CAPABILITIES },
      onInputRequest: async ({ params }) => ({
        action: 'accept',
        content: Object.fromEntries(
          Object.entries(params.requestedSchema.properties)
            .filter(([, field]) => field.enum)
            .map(([name]) => [name, 'approve']),
        ),
      }),
    });
    const execution = await session.callTool('workflow_run', { workflow: 'letters', inputs: { topic: 'a task' } });
    const { outcome } = await execution.settle();
    came = resultFromTaskOutcome(outcome).structuredContent?.status;
    await session.close();
  } catch (error) {
    came = error.stack;
  } finally {
    await client.close();
  }
  const ok = came === 'completed' && methods.includes('tasks/update');
  const how = Object.entries(Object.groupBy(methods, (name) => name)).map(([name, all]) => `${name} ${all.length}`);
  tell(
    `${ok ? 'ok  ' : 'FAIL'} client of the tasks extension: a crew through an approval (${how.join(', ')}): ${came}`,
  );
  return ok;
}
