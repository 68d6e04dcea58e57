import { describe, expect, it } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import type { Entitlement } from '../contracts/access.js';
import type { AppError } from '../errors/app-error.js';
import { toolsOf } from './mcp.service.js';
import { McpOAuth } from './oauth.js';
import type { ToolParts } from './parts.js';
import { missingScope } from './scopes.js';

const oauth = new McpOAuth({
  address: () => 'https://mcp.dao.example',
  issuer: () => 'https://id.example',
  documentation: undefined,
});
const tools = toolsOf({} as ToolParts);

describe('missingScope', () => {
  const bearer = (...scopes: Entitlement[]) => aCaller({ gateway: false, scopes, token: { issuer: 'i' } });
  function refusalOf(key = bearer(), method = 'tools/call', params?: unknown): AppError | undefined {
    return missingScope(key, { jsonrpc: '2.0', id: 1, method, params }, { tools, oauth });
  }
  const missing = (method: string, params?: unknown) => refusalOf(bearer(), method, params)?.detail.scope;

  it.each([
    ['router_call', { prompt: 'x' }, 'chat.write'],
    ['router_call', { prompt: 'x', mode: 'devtools' }, 'agent.devtools'],
    ['router_call', { prompt: 'x', mode: 'crew' }, 'agent.crew'],
    ['devtools_task', { tool: 'fs_read', params: { path: 'a' } }, 'agent.devtools'],
    ['workflow_run', { workflow: 'code_review' }, 'agent.crew'],
    ['microdao_query', { query_type: 'roles' }, 'chat.read'],
    ['microdao_query', { query_type: 'members' }, 'chat.write'],
    ['crew_status', { run_id: 'r' }, 'chat.read'],
    ['crew_cancel', { run_id: 'r' }, 'agent.crew'],
    ['crew_approve', { run_id: 'r', decision: 'approve' }, 'chat.read'],
  ])('asks for what %s with %j takes', (name, args, scope) => {
    expect(missing('tools/call', { name, arguments: args })).toBe(scope);
  });

  it.each(['resources/read', 'resources/list', 'prompts/get', 'tasks/get', 'completion/complete'])(
    'asks for reading with %s',
    (method) => {
      expect(missing(method)).toBe('chat.read');
      expect(refusalOf(bearer('chat.read'), method)).toBeUndefined();
      // Nor can it be got around by what else is odd about the message.
      for (const params of [{ name: 7 }, 'text', null, undefined]) {
        expect(missing(method, params)).toBe('chat.read');
      }
    },
  );

  it.each(['agent.crew', 'chat.write', 'agent.devtools'] as const)('lets what %s began be stopped', (scope) => {
    const cancel = { name: 'crew_cancel', arguments: { run_id: 'r' } };
    expect(refusalOf(bearer(scope), 'tools/call', cancel)).toBeUndefined();
    expect(refusalOf(bearer(scope), 'tasks/cancel')).toBeUndefined();
    expect(refusalOf(bearer('chat.read'), 'tools/call', cancel)?.code).toBe('SCOPE_MISSING');
    expect(refusalOf(bearer('chat.read'), 'tasks/cancel')?.code).toBe('SCOPE_MISSING');
  });

  it('asks for nothing where nothing of a DAO is done or shown, or where the call is refused anyway', () => {
    for (const method of ['initialize', 'server/discover', 'tools/list', 'ping', 'notifications/cancelled']) {
      expect(missing(method)).toBeUndefined();
    }
    expect(missing('tools/call', { name: 'no_such_tool', arguments: {} })).toBeUndefined();
    expect(missing('tools/call', { name: 'microdao_query', arguments: { query_type: 'all' } })).toBeUndefined();
    expect(missingScope(bearer(), 'no message', { tools, oauth })).toBeUndefined();
  });

  it('says what to ask for, with what there is, and where', () => {
    const error = refusalOf(bearer('chat.read'), 'tools/call', { name: 'workflow_run', arguments: { workflow: 'x' } });
    expect(error).toMatchObject({ status: 403, code: 'SCOPE_MISSING', detail: { required_entitlement: 'agent.crew' } });
    expect(error?.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="chat.read agent.crew", ' +
        'resource_metadata="https://mcp.dao.example/.well-known/oauth-protected-resource/mcp"',
    );
  });

  it('has nothing to say of keys, however narrow', () => {
    const call = { name: 'workflow_run', arguments: { workflow: 'x' } };
    expect(refusalOf(aCaller({ scopes: ['chat.read'] }), 'tools/call', call)).toBeUndefined();
  });
});
