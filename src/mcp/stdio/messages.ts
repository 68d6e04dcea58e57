import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  type ClientCapabilities,
  type Implementation,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** The revision that the bridge speaks with the server by itself. */
export const REVISION = '2026-07-28';

export type Answer = JSONRPCResultResponse | JSONRPCErrorResponse;

/** Where messages go to a client. */
export type Say = (message: JSONRPCMessage) => Promise<void>;

const Claimed = z.looseObject({
  params: z.looseObject({ _meta: z.looseObject({ [PROTOCOL_VERSION_META_KEY]: z.string() }) }),
});

/** The revision that a message says it is of. Undefined: it is one of before there were such messages. */
export function revisionOf(message: JSONRPCMessage): string | undefined {
  return Claimed.safeParse(message).data?.params._meta[PROTOCOL_VERSION_META_KEY];
}

const Cancelling = z.looseObject({
  method: z.literal('notifications/cancelled'),
  params: z.looseObject({ requestId: z.union([z.string(), z.number()]), reason: z.string().optional() }),
});

/** What a notice gives up, and why. Undefined: it is another one. */
export const cancelledBy = (
  message: JSONRPCMessage,
): { requestId: string | number; reason?: string | undefined } | undefined =>
  Cancelling.safeParse(message).data?.params;

const Progressing = z.looseObject({
  method: z.literal('notifications/progress'),
  params: z.looseObject({ progress: z.number() }),
});

/** How far a notice says that work is. Undefined: it is another one. */
export const progressOf = (message: JSONRPCNotification): number | undefined =>
  Progressing.safeParse(message).data?.params.progress;

/** What a message of the bridge's own says of itself, and of the client for which it is. */
export const envelope = (
  clientInfo: Implementation | undefined,
  clientCapabilities: ClientCapabilities,
): Record<string, unknown> => ({
  [PROTOCOL_VERSION_META_KEY]: REVISION,
  [CLIENT_CAPABILITIES_META_KEY]: clientCapabilities,
  ...(clientInfo && { [CLIENT_INFO_META_KEY]: clientInfo }),
});

/** A request of the bridge's own. */
export const requestOf = (id: string | number, method: string, params: Record<string, unknown>): JSONRPCRequest => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});
