import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import { CANCEL_HEADER, DAO_HEADER, DETACHED_HEADER, USER_HEADER } from '../headers.js';
import { REVISION, revisionOf } from './messages.js';

/** The server as the bridge reaches it. */
export interface Target {
  url: string;
  key: string;
}

/** For whom a client calls, where that is not the key's own matter. */
export interface On {
  dao?: string | undefined;
  user?: string | undefined;
}

/** What names the object of a method, in its parameters. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** Headers of a request over HTTP: what the protocol mirrors there, who calls, and that a broken connection means nothing. */
export function headersOf(
  request: JSONRPCRequest,
  { key }: Pick<Target, 'key'>,
  { dao, user }: On,
  isCancel = false,
): Record<string, string> {
  const name = request.params?.[NAMED_BY[request.method] ?? ''];
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${key}`,
    'mcp-protocol-version': revisionOf(request) ?? REVISION,
    'mcp-method': fieldValue(request.method),
    ...(typeof name === 'string' && { 'mcp-name': fieldValue(name) }),
    ...(dao !== undefined && { [DAO_HEADER]: encodeURIComponent(dao) }),
    ...(user !== undefined && { [USER_HEADER]: encodeURIComponent(user) }),
    [DETACHED_HEADER]: '1',
    ...(isCancel && { [CANCEL_HEADER]: '1' }),
  };
}

/** Letters that a header carries as they are, without blanks at its ends. */
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;
const SENTINEL = /^=\?base64\?.*\?=$/;

/** A value as the protocol writes it into a header: plain, or in Base64 within marks. */
export const fieldValue = (value: string): string =>
  PLAIN.test(value) && !SENTINEL.test(value) ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
