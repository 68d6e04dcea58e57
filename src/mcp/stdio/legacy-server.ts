import type {
  ClientCapabilities,
  JSONRPCNotification,
  RequestId,
  ServerCapabilities,
  ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { SERVER_NAME, SERVER_TITLE } from '../names.js';
import { ProtocolServer } from '../protocol-server.js';
import { AskingCall } from './asking.js';
import { resultOf } from './ask-upstream.js';
import { wantsStop } from './giving-up.js';
import { envelope, progressOf, requestOf } from './messages.js';
import { Subscriptions } from './subscriptions.js';
import type { Upstream } from './upstream.js';

const Discovered = z.looseObject({
  capabilities: z.looseObject({
    tools: z.looseObject({}).optional(),
    resources: z.looseObject({ subscribe: z.boolean().optional() }).optional(),
    prompts: z.looseObject({}).optional(),
    completions: z.looseObject({}).optional(),
  }),
  instructions: z.string().optional(),
});

/** Methods that are asked of the server as they are, by what it must be able to do. */
const METHODS = {
  tools: ['tools/list', 'tools/call'],
  resources: ['resources/list', 'resources/templates/list', 'resources/read'],
  prompts: ['prompts/list', 'prompts/get'],
  completions: ['completion/complete'],
} as const;
type Part = keyof typeof METHODS;

export interface LegacyOptions {
  upstream: Upstream;
  version: string;
  /** Told of what no client is told. */
  warn: (sentence: string) => void;
}

/** Makes the server of one older client, with what the one over HTTP can do. @throws NoAnswer, ProtocolError */
export async function openLegacyServer({
  upstream,
  version,
  warn,
}: LegacyOptions): Promise<{ server: ProtocolServer; calls: LegacyCalls }> {
  const { capabilities: can, instructions } = Discovered.parse(
    await resultOf(upstream, requestOf('discover', 'server/discover', { _meta: envelope(undefined, {}) })),
  );
  const parts = (Object.keys(METHODS) as Part[]).filter((part) => can[part] !== undefined);
  const mayWatch = can.resources?.subscribe === true;
  const capabilities: ServerCapabilities = Object.fromEntries(parts.map((part) => [part, {}]));
  if (mayWatch) capabilities.resources = { subscribe: true };
  const server = new ProtocolServer(
    { name: SERVER_NAME, title: SERVER_TITLE, version },
    {
      capabilities,
      ...(instructions !== undefined && { instructions }),
    },
  );
  server.onerror = (error) => {
    warn(error.message);
  };
  const calls = new LegacyCalls(upstream, server);
  for (const method of parts.flatMap((part) => METHODS[part])) calls.serve(method);
  if (mayWatch) new Subscriptions(upstream, server, warn).serve();
  return { server, calls };
}

type Method = (typeof METHODS)[Part][number];

/** Calls of one older client, each asked of the server over HTTP in the newer way. */
export class LegacyCalls {
  private readonly asking = new Map<RequestId, AskingCall>();

  constructor(
    private readonly upstream: Upstream,
    private readonly server: ProtocolServer,
  ) {}

  serve(method: Method): void {
    this.server.setRequestHandler(method, async ({ params }, context) => {
      const answer = await this.ask(method, { ...params }, context);
      // Of which kind it is, the method says; the SDK checks what it knows.
      return answer as never;
    });
  }

  /** A call has its answer: nobody is asked any more. */
  answered(id: RequestId): void {
    this.asking.get(id)?.end();
    this.asking.delete(id);
  }

  private async ask(method: Method, params: Record<string, unknown>, context: ServerContext): Promise<object> {
    const { id, signal, inputResponses } = context.mcpReq;
    const call = this.callOf(context);
    const request = requestOf(id, method, {
      ...params,
      ...(inputResponses && { inputResponses }),
      ...stateIn(context),
      _meta: { ...context.mcpReq._meta, ...envelope(this.server.client.info, this.capabilitiesFor(context)) },
    });
    const hear = (notice: JSONRPCNotification): Promise<void> => told(context, call.rising.raise(notice));
    const result = await resultOf(this.upstream, request, { signal, hear });
    if (result.resultType === 'input_required') {
      call.wait((reason) => {
        if (wantsStop(reason)) void this.upstream.giveUp(request);
      });
    }
    return plain(result);
  }

  /** One call comes here again after each round of questions. */
  private callOf({ mcpReq }: ServerContext): AskingCall {
    const { id, signal, _meta, notify } = mcpReq;
    const token = _meta?.progressToken;
    const known = this.asking.get(id);
    known?.end();
    const call =
      known ??
      new AskingCall(signal, {
        tell: (params) => {
          if (token === undefined) return;
          const notice = { method: 'notifications/progress', params: { progressToken: token, ...params } };
          void notify(notice).catch(() => undefined);
        },
        onGivenUp: () => this.asking.delete(id),
      });
    this.asking.set(id, call);
    return call;
  }

  /** A person may be asked only where the client waits while they think. */
  private capabilitiesFor({ mcpReq }: ServerContext): ClientCapabilities {
    const { elicitation } = this.server.client.capabilities;
    return elicitation !== undefined && mcpReq._meta?.progressToken !== undefined ? { elicitation } : {};
  }
}

const stateIn = ({ mcpReq }: ServerContext): { requestState?: string } => {
  const requestState = mcpReq.requestState();
  return typeof requestState === 'string' ? { requestState } : {};
};

/** Of notices that come with an answer, older clients get those of progress. */
async function told({ mcpReq }: ServerContext, { method, params }: JSONRPCNotification): Promise<void> {
  if (progressOf({ jsonrpc: '2.0', method, params }) === undefined) return;
  await mcpReq.notify({ method, ...(params && { params }) });
}

/** What only newer clients know of results; that one asks something stays, for the SDK to ask it. */
function plain({ resultType, ttlMs: _, cacheScope: __, ...result }: Record<string, unknown>): object {
  return resultType === 'input_required' ? { ...result, resultType } : result;
}
