import { ProtocolError, type JSONRPCNotification, type JSONRPCRequest } from '@modelcontextprotocol/server';
import { errorOf } from './refusals.js';
import type { Upstream } from './upstream.js';

/** Asks, and gives the result. @throws ProtocolError with what the server, or the way to it, says */
export async function resultOf(
  upstream: Upstream,
  request: JSONRPCRequest,
  {
    signal = new AbortController().signal,
    hear = () => Promise.resolve(),
  }: { signal?: AbortSignal; hear?: (notice: JSONRPCNotification) => Promise<void> } = {},
): Promise<Record<string, unknown>> {
  const answer = await upstream.call(request, { signal, hear }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    const { code, message, data } = errorOf(error);
    throw new ProtocolError(code, message, data);
  });
  if ('result' in answer) return answer.result;
  const { code, message, data } = answer.error;
  throw new ProtocolError(code, message, data);
}
