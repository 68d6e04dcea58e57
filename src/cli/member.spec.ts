import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import {
  addMember,
  changeMember,
  forgetMember,
  linkMember,
  listMembers,
  removeMember,
  unlinkMember,
} from './member.js';

const MEMBER = { id: 'p_1', name: 'C\u001by', roles: ['member'], user_ids: ['tg:5'], version: '2' };
const LINE = 'p_1 (Cy): member, known as tg:5, version 2\n';
const DAO = { dao: 'orchard' };
const PATH = '/daos/orchard/members';

describe('dagi member', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;
  const page = (members: object[]): object => ({ ok: true, members, next: null });

  beforeEach(() => {
    json.mockReset().mockResolvedValue(MEMBER);
  });

  it('list has a line for each, also where ids are not told', async () => {
    const other = { id: 'p_2', name: null, roles: ['member'], version: '2' };
    json.mockResolvedValue(page([MEMBER, other]));
    const { text } = await listMembers(client, { ...DAO, role: 'member', user: 'tg:5', limit: 10 });
    expect(text.split('\n')).toEqual([
      'id   name  roles   known as  version',
      'p_1  Cy    member  tg:5      2',
      'p_2        member            2',
      '',
    ]);
    expect(json).toHaveBeenCalledWith('GET', `${PATH}?role=member&user_id=tg%3A5&limit=10&after=`, {});
  });

  it('add sends what is given, in the DAO of the key', async () => {
    json.mockResolvedValueOnce({ ok: true, dao_id: 'orchard' });
    expect((await addMember(client, 'tg:5', { roles: ['member'], name: 'Cy' })).text).toBe(LINE);
    expect(json).toHaveBeenLastCalledWith('POST', PATH, { body: { user_id: 'tg:5', roles: ['member'], name: 'Cy' } });
  });

  it('change finds a member by an id of a platform', async () => {
    json.mockResolvedValueOnce(page([MEMBER]));
    await changeMember(client, 'tg:5', { ...DAO, roles: ['admin'], name: false, ifVersion: '2' });
    expect(json.mock.calls).toEqual([
      ['GET', `${PATH}?user_id=tg%3A5&limit=1&after=`, {}],
      ['PATCH', `${PATH}/p_1`, { body: { roles: ['admin'], name: null }, headers: { 'if-match': '"2"' } }],
    ]);
  });

  it('change says so when nobody is there, or nothing is to change', async () => {
    await expect(changeMember(client, 'p_1', DAO)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    json.mockResolvedValueOnce(page([]));
    await expect(changeMember(client, 'tg:6', { ...DAO, name: 'x' })).rejects.toMatchObject({
      code: 'MEMBER_NOT_FOUND',
      message: expect.stringContaining('tg:6'),
    });
  });

  it.each([
    ['tg:5', '?user_id=tg%3A5'],
    ['p_1', '/p_1'],
    ['me', '/me'],
  ])('remove names %s in one call', async (who, target) => {
    expect((await removeMember(client, who, DAO)).text).toBe(`removed ${who} from orchard\n`);
    expect(json.mock.calls).toEqual([['DELETE', `${PATH}${target}`, {}]]);
  });

  it('link links another id, or tells a code for it', async () => {
    expect((await linkMember(client, 'p_1', 'dc:7', DAO)).text).toBe(LINE);
    expect(json).toHaveBeenLastCalledWith('POST', `${PATH}/p_1/ids`, { body: { user_id: 'dc:7' } });
    json.mockResolvedValue({ ok: true, code: 'lnk_x', expires_at: 'then' });
    const { text } = await linkMember(client, 'me', undefined, { ...DAO, as: 'tg:5' });
    expect(text).toMatch(/^lnk_x\n\(.*then.*dagi member redeem CODE\)\n$/);
    expect(json).toHaveBeenLastCalledWith('POST', `${PATH}/me/link?user_id=tg%3A5`, {});
    await expect(linkMember(client, 'p_1', undefined, DAO)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    await expect(linkMember(client, 'me', 'dc:7', { as: 'tg:5' })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  });

  it('unlink stays within the member', async () => {
    await unlinkMember(client, 'me', 'dc:7', DAO);
    expect(json).toHaveBeenLastCalledWith('DELETE', `${PATH}/me/ids/dc%3A7`, {});
    await expect(unlinkMember(client, 'p_1', '..', DAO)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  });

  it('forget does nothing before it is said twice', async () => {
    await expect(forgetMember(client, 'p_1', DAO)).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
    await expect(forgetMember(client, 'p_1', { as: 'tg:5', yes: true })).rejects.toThrow('forget me --as tg:5');
    expect(json).not.toHaveBeenCalled();
    json.mockResolvedValue({ ok: true, id: 'p_1', requests: 3 });
    const { text } = await forgetMember(client, 'me', { ...DAO, as: 'tg:5', yes: true });
    expect(text).toBe('forgotten; what is left is called p_1, in 3 requests\n');
    expect(json.mock.calls).toEqual([['POST', `${PATH}/me/forget?user_id=tg%3A5`, {}]]);
  });

  it.each([
    ['forget', () => forgetMember(client, 'me', { ...DAO, yes: true })],
    ['link', () => linkMember(client, 'me', undefined, DAO)],
  ])('%s tells a key that stands for nobody to say who acts', async (_what, work) => {
    json.mockRejectedValue(new CliError('QUERY_INVALID', 'Name whom.'));
    await expect(work()).rejects.toThrow(/^Name whom\..* --as USER\.$/);
    json.mockRejectedValue(new CliError('LAST_ADMIN', 'No.'));
    await expect(work()).rejects.not.toThrow('--as');
  });
});
