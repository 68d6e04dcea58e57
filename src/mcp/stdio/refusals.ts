import {
  ProtocolError,
  ProtocolErrorCode,
  type JSONRPCErrorResponse,
  type RequestId,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Why there is no answer of the protocol. */
export class NoAnswer extends Error {
  /**
   * @param taken whether the server may have begun what it was asked for
   * @param code our own, such as `UNAUTHENTICATED`
   */
  constructor(
    readonly code: string,
    message: string,
    readonly taken: boolean,
    readonly detail: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'NoAnswer';
  }

  /** Whether it may pass by itself: the server is starting, stopping, or away. */
  get passes(): boolean {
    return this.detail.status === undefined || this.detail.status === 503;
  }
}

/** What a client is told in place of an answer. */
export const refusal = (id: RequestId, error: unknown): JSONRPCErrorResponse => ({
  jsonrpc: '2.0',
  id,
  error: errorOf(error),
});

/** The same as an error of the protocol. */
export function errorOf(error: unknown): JSONRPCErrorResponse['error'] {
  if (error instanceof ProtocolError) {
    const { code, message, data } = error;
    return { code, message, ...(data !== undefined && { data }) };
  }
  if (!(error instanceof NoAnswer)) return { code: ProtocolErrorCode.InternalError, message: String(error) };
  const { code, message, detail } = error;
  return {
    code: isRefused(detail.status) ? ProtocolErrorCode.InvalidRequest : ProtocolErrorCode.InternalError,
    message: `${code}: ${message}`,
    data: { code, ...detail },
  };
}

const isRefused = (status: unknown): boolean => typeof status === 'number' && status < 500;

const Body = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) });

const REMEDIES: Readonly<Record<number, string>> = {
  401: 'Give the bridge a key that is valid there (DAGI_API_KEY).',
  413: 'Send less at once.',
};

/** An answer of HTTP that is none of the protocol. */
export function httpRefusal(status: number, body: unknown, url: string): NoAnswer {
  const told = Body.safeParse(body).data?.error;
  const remedy = REMEDIES[status];
  if (!told) {
    const sentence = `${url} answers HTTP ${status}, and not as an MCP server of DAGI Stack: is the address right?`;
    return new NoAnswer('BAD_ANSWER', sentence, false, { status });
  }
  const { code, message, ...detail } = told;
  return new NoAnswer(code, remedy === undefined ? message : `${message} ${remedy}`, false, { ...detail, status });
}

/** Failures of a connection over which something may have been sent. Of others, such as a bad certificate, nothing was. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

const Failed = z.looseObject({ cause: z.looseObject({ code: z.string().optional(), message: z.string().optional() }) });

/** A connection that could not be made, or broke. */
export function broken(error: unknown, url: string): NoAnswer {
  const cause = Failed.safeParse(error).data?.cause;
  const why = cause?.message ?? cause?.code ?? (error instanceof Error ? error.message : String(error));
  const taken = BROKEN.has(cause?.code ?? '');
  const sentence = taken
    ? `The connection to ${url} broke (${why}).`
    : `${url} does not answer (${why}): start DAGI Stack with "npm run up", or correct the address.`;
  return new NoAnswer('UNREACHABLE', sentence, taken);
}
