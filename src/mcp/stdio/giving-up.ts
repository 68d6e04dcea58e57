import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import { CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { TASKS_EXTENSION } from '../names.js';

/** The connection to the client has ended: what it began goes on. */
export class ClientGone extends Error {
  constructor() {
    super('the client has gone');
    this.name = 'ClientGone';
  }
}

const TIME_RAN_OUT = /tim(?:ed?|ing)[\s_-]*out/i;

/**
 * Whether the reason for which a client gives up a call means that the work is to stop. Where its time ran out it will
 * ask again, and where it went away the work goes on: only what is said in words, or without a word, is a cancel.
 */
export function wantsStop(reason: unknown): boolean {
  if (reason instanceof Error && reason.name !== 'AbortError') return false;
  return !TIME_RAN_OUT.test(typeof reason === 'string' ? reason : '');
}

const WithTasks = z.looseObject({
  params: z.looseObject({
    _meta: z.looseObject({
      [CLIENT_CAPABILITIES_META_KEY]: z.looseObject({
        extensions: z.looseObject({ [TASKS_EXTENSION]: z.looseObject({}) }),
      }),
    }),
  }),
});

/** Whether the same call again joins what it began. For clients with tasks it is another task. */
export const isRepeatable = (request: JSONRPCRequest): boolean =>
  request.method !== 'tools/call' || !WithTasks.safeParse(request).success;
