import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ADMIN_KEY, type Product } from './harness.js';

const VERSION = '2026-07-28';

export interface McpMessage {
  jsonrpc: string;
  id?: number | string | null;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown> & {
    content?: { type: string; text: string }[];
    structuredContent?: Record<string, unknown>;
    isError?: boolean;
    resultType?: string;
  };
  error?: { code: number; message: string; data?: unknown };
}

export interface McpReply {
  status: number;
  headers: Headers;
  /** What came before the answer. */
  notifications: McpMessage[];
  /** The answer; undefined: the connection ended without one. */
  answer: McpMessage | undefined;
}

export interface McpCallOptions {
  /** Absent: the administrator's. Null: none. */
  key?: string | null;
  capabilities?: object;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** As a client of before 2026 does. */
  legacy?: boolean;
  onMessage?: (message: McpMessage) => void;
}

/** The protocol on the wire, plainly: for tests that look at what official clients hide. */
export async function mcpCall(
  product: Pick<Product, 'mcpUrl'>,
  method: string,
  params: Record<string, unknown> = {},
  options: McpCallOptions = {},
): Promise<McpReply> {
  const { key = ADMIN_KEY, headers = {}, signal, legacy = false, onMessage } = options;
  const response = await fetch(product.mcpUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(legacy ? { 'mcp-protocol-version': '2025-11-25' } : modernHeaders(method, params)),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: legacy ? params : withMeta(params, options) }),
    ...(signal && { signal }),
  });
  const messages: McpMessage[] = [];
  for await (const message of messagesOf(response)) {
    messages.push(message);
    onMessage?.(message);
  }
  return {
    ...{ status: response.status, headers: response.headers },
    notifications: messages.filter(({ method: isNotice }) => isNotice !== undefined),
    answer: messages.find(({ method: isNotice }) => isNotice === undefined),
  };
}

/** Calls a tool and gives its result. */
export async function callTool(
  product: Pick<Product, 'mcpUrl'>,
  name: string,
  args: object,
  options: McpCallOptions & { meta?: object; more?: object } = {},
): Promise<NonNullable<McpMessage['result']>> {
  const { meta, more } = options;
  const params = { name, arguments: args, ...more, ...(meta && { _meta: meta }) };
  const { answer, status } = await mcpCall(product, 'tools/call', params, options);
  if (!answer?.result) throw new Error(`no result (${status}): ${JSON.stringify(answer)}`);
  return answer.result;
}

function modernHeaders(method: string, params: Record<string, unknown>): Record<string, string> {
  const name = params.name ?? params.uri ?? params.taskId;
  return {
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  };
}

const withMeta = (params: Record<string, unknown>, { capabilities = {} }: McpCallOptions): object => ({
  ...params,
  _meta: {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    ...(params._meta as object | undefined),
  },
});

async function* messagesOf(response: Response): AsyncGenerator<McpMessage> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
    const text = await response.text();
    if (text !== '') yield JSON.parse(text) as McpMessage;
    return;
  }
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { data } of events) yield JSON.parse(data) as McpMessage;
}
