import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { deleteRole, listRoles, putRole } from './role.js';

const ROLE = { ok: true, name: 'steward', entitlements: ['chat.read'], version: '3', holders: 2 };
const REPORT = {
  ...{ hash: 'table', requests: 10, unchanged: 8, changed: 2, newly_allowed: 2, newly_denied: 0, undecidable: 0 },
  ...{ groups: [], took_ms: 1 },
};

describe('dagi role', () => {
  const json = jest.fn<DagiClient['json']>();
  const show = jest.fn();
  const client = { json } as unknown as DagiClient;

  beforeEach(() => {
    json.mockReset().mockResolvedValue(ROLE);
    show.mockReset();
  });

  it('list tells what each gives', async () => {
    json.mockResolvedValue({ ok: true, roles: [ROLE], next: null });
    const { text } = await listRoles(client, { dao: 'orchard' });
    expect(text).toBe('role     members  version  gives\nsteward  2        3        chat.read\n');
    expect(json).toHaveBeenCalledWith('GET', '/roles?dao_id=orchard&limit=200&after=', {});
  });

  it('list says nothing of how many have one to whom that is not told', async () => {
    const seen = { ...ROLE, holders: undefined };
    json.mockResolvedValue({ ok: true, roles: [seen], next: null });
    expect((await listRoles(client)).text).toContain('steward  –        3');
    json.mockResolvedValue(seen);
    expect((await putRole(client, 'steward', { gives: ['chat.read'] }, show)).text).toBe(
      'steward gives chat.read; version 3\n',
    );
  });

  it('put sends all that the role gives', async () => {
    const options = { dao: 'orchard', gives: ['chat.read'], confirm: '0123456789abcdef', ifVersion: '2' };
    const { text } = await putRole(client, 'steward', options, show);
    expect(text).toBe('steward gives chat.read; members with it: 2; version 3\n');
    expect(json.mock.calls).toEqual([
      [
        'PUT',
        '/roles/steward?dao_id=orchard',
        { body: { entitlements: ['chat.read'], confirm: '0123456789abcdef' }, headers: { 'if-match': '"2"' } },
      ],
    ]);
    expect(show).not.toHaveBeenCalled();
  });

  it('put shows the report of what is held, and the command that confirms it', async () => {
    const detail = { code: 'ROLE_CHANGE_HELD', reasons: ['2 would be allowed'], confirm: 'abcd', report: REPORT };
    json.mockRejectedValue(new CliError('ROLE_CHANGE_HELD', 'Held.', detail));
    const options = { dao: 'my dao', gives: ['chat.read', 'chat.write'], ifVersion: '2', home: '/srv/dagi' };
    await expect(putRole(client, 'guest', options, show)).rejects.toMatchObject({
      code: 'ROLE_CHANGE_HELD',
      message: expect.stringMatching(
        /: npx dagi role put guest --gives chat\.read,chat\.write --dao 'my dao' --if-version 2 --home \/srv\/dagi --confirm abcd$/,
      ),
    });
    expect(show).toHaveBeenCalledTimes(1);
    expect(show.mock.calls[0]?.[0]).toEqual({
      answer: { ok: false, error: detail },
      text: expect.stringMatching(/^the change of guest is held, because:\n {2}- 2 would be allowed\n\n10 recorded/),
    });
  });

  it('put tells other refusals as they are', async () => {
    json.mockRejectedValue(new CliError('RBAC_PERMISSION_DENIED', 'No.'));
    await expect(putRole(client, 'x', { gives: [] }, show)).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    expect(show).not.toHaveBeenCalled();
  });

  it('delete may be bound to a version', async () => {
    expect((await deleteRole(client, 'steward', { ifVersion: '3' })).text).toBe('deleted steward\n');
    expect(json).toHaveBeenCalledWith('DELETE', '/roles/steward', { headers: { 'if-match': '"3"' } });
    json.mockRejectedValue(new CliError('ROLE_IN_USE', 'No.', { holders: 1, invitations: 0 }));
    await expect(deleteRole(client, 'steward')).rejects.toThrow('dagi member list --role');
    json.mockRejectedValue(new CliError('ROLE_IN_USE', 'It stays.'));
    await expect(deleteRole(client, 'guest')).rejects.toThrow(/stays\.$/);
  });
});
