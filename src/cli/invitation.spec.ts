import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { invite, listInvitations, redeem, withdrawInvitation } from './invitation.js';

const DAO = { dao: 'orchard' };
const PATH = '/daos/orchard/invitations';
const MADE = { id: 'i', user_id: null, roles: ['member'], uses_left: 2, expires_at: 'then', created_by: 'p_1' };
const MEMBER = { id: 'p_2', name: null, roles: ['member'], user_ids: ['tg:7'], version: '1' };

describe('invitations', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;

  beforeEach(() => {
    json.mockReset();
  });

  it('invite shows a secret, alone in the first line', async () => {
    json.mockResolvedValue({ ok: true, ...MADE, secret: 'inv_x' });
    const { text } = await invite(client, { ...DAO, roles: ['member'], uses: 2, expires: 5_400_000 });
    expect(text).toMatch(/^inv_x\n.*dagi member redeem SECRET\)\ninvitation i to member, good until then\n$/);
    expect(json.mock.calls).toEqual([['POST', PATH, { body: { roles: ['member'], uses: 2, expires_in_hours: 1.5 } }]]);
  });

  it('invite says how somebody takes it who is named', async () => {
    json.mockResolvedValue({ ok: true, ...MADE, user_id: 'tg:7' });
    const { text } = await invite(client, { ...DAO, roles: ['member'], user: 'tg:7' });
    expect(text).toMatch(/^tg:7 is invited, .*: npx dagi member redeem --dao orchard\n/);
    expect(json.mock.calls[0]?.[2]).toEqual({ body: { roles: ['member'], user_id: 'tg:7' } });
  });

  it('are listed and withdrawn', async () => {
    json.mockResolvedValue({ ok: true, invitations: [MADE], next: null });
    expect((await listInvitations(client, DAO)).text.split('\n')[1]).toBe(
      'i   who has the secret  member  2          then   p_1',
    );
    json.mockResolvedValue({ ok: true, id: 'i' });
    expect((await withdrawInvitation(client, 'i', DAO)).text).toBe('withdrawn i\n');
    expect(json).toHaveBeenLastCalledWith('DELETE', `${PATH}/i`, {});
  });

  it('are redeemed by secret, or by name', async () => {
    json.mockResolvedValue({ ok: true, dao_id: 'orchard', member: MEMBER });
    const { text } = await redeem(client, 'inv_x', { as: 'tg:7' });
    expect(text).toBe('in orchard: p_2: member, known as tg:7, version 1\n');
    await redeem(client, undefined, DAO);
    expect(json.mock.calls).toEqual([
      ['POST', '/invitations/redeem', { body: { secret: 'inv_x', user_id: 'tg:7' } }],
      ['POST', '/invitations/redeem', { body: { dao_id: 'orchard' } }],
    ]);
    await expect(redeem(client, 'inv_x', DAO)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  });
});
