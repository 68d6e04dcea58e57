import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aRecorded } from '../../test/factories/recorded.js';
import { anAccess, aTable } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { GuardSettings } from './config-guard.js';
import type { RecordedDecisions } from './recorded-decisions.js';
import { RoleGuard, type RoleEdit } from './role-guard.js';

const TABLE = aTable([{}]);
const DAO = 'greenfood-dao';
const NOTHING_MORE = ['chat.read'];
const CHATS = ['chat.read', 'chat.write'];
const guestEdit = (from: string[], to: string[]): RoleEdit => ({ daoId: DAO, role: 'guest', from, to });

describe('RoleGuard', () => {
  const dealt = jest.fn<RecordedDecisions['dealt']>();
  let settings: GuardSettings;
  const guard = new RoleGuard(strict<RecordedDecisions>('recorded', { dealt }), () => ({
    routing: TABLE,
    guard: settings,
  }));

  const recorded = (...decisions: ReturnType<typeof aRecorded>[]): void => {
    dealt.mockImplementation(async function* () {
      for (const one of decisions) yield [one];
    });
  };
  const times = (count: number, ...roles: string[]): ReturnType<typeof aRecorded>[] =>
    Array.from({ length: count }, () => aRecorded(TABLE, { access: anAccess(roles) }));

  beforeEach(() => {
    settings = { enabled: true, requests: 10, maxChangedShare: 0.2 };
    dealt.mockReset();
    recorded();
  });

  it('reads nothing where it is off', async () => {
    settings = { ...settings, enabled: false };
    dealt.mockImplementation(() => {
      throw new Error('nothing had to be read');
    });
    expect(await guard.objection(guestEdit(CHATS, NOTHING_MORE))).toBeUndefined();
    expect(await guard.objection({ daoId: DAO, role: 'member', from: NOTHING_MORE, to: CHATS })).toBeUndefined();
  });

  it('looks at as many requests as the profile says, of this DAO alone', async () => {
    expect(await guard.objection(guestEdit(CHATS, NOTHING_MORE))).toBeUndefined();
    expect(dealt.mock.calls).toEqual([[10, { daoId: DAO }]]);
  });

  it('objects to whatever everybody would get, decided by or not, on or off', async () => {
    const edit = guestEdit(NOTHING_MORE, ['chat.read', 'audit.read', 'key.manage']);
    const reason = 'everybody who is no member would get audit.read, key.manage';
    for (const enabled of [true, false]) {
      settings = { ...settings, enabled };
      const reasons = [enabled ? reason : `${reason} (the guard is off: no request was asked)`];
      expect(await guard.objection(edit)).toMatchObject({ reasons, report: { requests: 0 } });
    }
    settings = { ...settings, enabled: true };
    expect(await guard.objection({ ...edit, role: 'member' })).toBeUndefined();
  });

  it('objects to a single denial that would become an allowance, and names it', async () => {
    settings = { ...settings, maxChangedShare: 1 };
    const [refused] = times(1, 'guest');
    recorded(...times(99, 'member'), refused!);
    expect(refused!.was).toMatchObject({ allowed: false });
    const objection = await guard.objection(guestEdit(NOTHING_MORE, CHATS));
    expect(objection).toMatchObject({
      reasons: [expect.stringContaining('everybody'), expect.stringContaining('1 of 100')],
      report: { newly_allowed: 1, unchanged: 99, groups: [{ examples: [refused!.id] }] },
    });
  });

  it('objects where more than the share would change, allowed or not', async () => {
    recorded(...times(6, 'member'), ...times(14, 'contributor'));
    const edit: RoleEdit = { daoId: DAO, role: 'member', from: CHATS, to: NOTHING_MORE };
    const objection = await guard.objection(edit);
    expect(objection).toMatchObject({ reasons: [expect.stringContaining('6 of 20')], report: { newly_denied: 6 } });
    settings = { ...settings, maxChangedShare: 0.3 };
    expect(await guard.objection(edit)).toBeUndefined();
  });

  it('takes no share of a few requests for one', async () => {
    const edit: RoleEdit = { daoId: DAO, role: 'member', from: CHATS, to: NOTHING_MORE };
    recorded(...times(19, 'member'));
    expect(await guard.objection(edit)).toBeUndefined();
    recorded(...times(20, 'member'));
    expect(await guard.objection(edit)).toMatchObject({ reasons: [expect.stringContaining('20 of 20')] });
    recorded(...times(1, 'guest'));
    const letIn: RoleEdit = guestEdit(NOTHING_MORE, CHATS);
    expect((await guard.objection(letIn))?.reasons).toContainEqual(expect.stringContaining('1 of 1'));
  });

  it('starts from what the role gives now, whatever it gave when the request was recorded', async () => {
    recorded(...times(20, 'guest'));
    expect(await guard.objection(guestEdit(CHATS, CHATS))).toBeUndefined();
    expect(await guard.objection(guestEdit(CHATS, NOTHING_MORE))).toMatchObject({ report: { newly_denied: 20 } });
  });

  it('lets somebody keep by another role what this one loses', async () => {
    recorded(...times(20, 'member', 'contributor'));
    settings = { ...settings, maxChangedShare: 0 };
    const edit: RoleEdit = { daoId: DAO, role: 'member', from: CHATS, to: [] };
    expect(await guard.objection(edit)).toBeUndefined();
  });
});
