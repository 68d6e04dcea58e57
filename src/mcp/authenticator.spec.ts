import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import { strict } from '../../test/factories/strict.js';
import type { Authenticator } from '../middleware/authenticate.js';
import type { TokenCallersService } from '../services/token-callers.service.js';
import { McpAuthenticator } from './authenticator.js';

describe('McpAuthenticator', () => {
  const ofKey = jest.fn<Authenticator['authenticate']>();
  const callerOf = jest.fn<TokenCallersService['callerOf']>();
  const door = new McpAuthenticator({ authenticate: ofKey }, strict<TokenCallersService>('tokens', { callerOf }));

  beforeEach(() => {
    ofKey.mockReset().mockResolvedValue(undefined);
    callerOf.mockReset().mockResolvedValue(undefined);
  });

  async function choice(body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    await door.authenticate('a.b.c', { headers, body });
    return callerOf.mock.lastCall?.[1];
  }
  const message = (method: string, params: unknown): object => ({ jsonrpc: '2.0', id: 1, method, params });
  const tool = (args: unknown): object => message('tools/call', { name: 'x', arguments: args });

  it('asks for a key first', async () => {
    const key = aCaller();
    ofKey.mockResolvedValue(key);
    expect(await door.authenticate('a.b.c', { headers: {}, body: undefined })).toBe(key);
    expect(callerOf).not.toHaveBeenCalled();
  });

  it.each([
    [{ dao_id: 'a' }],
    [{ metadata: { dao_id: 'a' } }],
    [{ params: { dao_id: 'a', path: 'x' } }],
    [{ inputs: { dao_id: 'a' }, workflow: 'x' }],
  ])('takes the DAO that the arguments name (%j) before that of the header', async (args) => {
    expect(await choice(tool(args), { 'x-dagi-dao': 'b' })).toEqual({ named: 'a', unnamed: 'refuse' });
  });

  it('takes the DAO of a resource, and that of the header where nothing else names one', async () => {
    const read = (uri: string): object => message('resources/read', { uri });
    expect(await choice(read('dagi://green%20food/runs/1'))).toEqual({ named: 'green food', unnamed: 'refuse' });
    expect(await choice(read('dagi://a'), { 'x-dagi-dao': 'b' })).toEqual({ named: 'a', unnamed: 'refuse' });
    expect(await choice(tool({ prompt: 'x' }), { 'x-dagi-dao': 'b' })).toEqual({ named: 'b', unnamed: 'refuse' });
    expect(await choice(tool({ metadata: 7, dao_id: {} }))).toEqual({ named: undefined, unnamed: 'refuse' });
  });

  it('needs none for what is done in none, and waits for the body', async () => {
    for (const body of [message('tools/list', {}), message('initialize', undefined), 'nonsense']) {
      expect(await choice(body)).toEqual({ named: undefined, unnamed: 'first' });
    }
    expect(await choice(undefined, { 'x-dagi-dao': 'b' })).toEqual({ unnamed: 'undecided' });
  });
});
