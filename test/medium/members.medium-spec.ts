import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { InvitationsRepository } from '../../src/adapters/store/invitations.repository.js';
import { MembersRepository } from '../../src/adapters/store/members.repository.js';
import { PLATFORM_OWNER, type CallerKey, type Entitlement } from '../../src/contracts/access.js';
import type { InvitationRequest } from '../../src/services/invitations.service.js';
import { AccessService } from '../../src/services/access.service.js';
import { peopleOf, type People } from '../../src/services/people.js';
import { aCaller, createDao } from '../factories/access.js';
import { DATABASES, type Fresh } from './databases.js';

const PAGE = { after: '', limit: 50 };

/** What a promise comes to: its value, or the code of its error. */
const outcome = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code ?? error,
  );

describe.each(DATABASES)('people on %s', (_name, open) => {
  let fresh: Fresh;
  let people: People;
  let access: AccessService;
  let dao: string;
  let count = 0;
  const admin = aCaller({ id: 'admin', principal: 'api:admin' });

  /** The key of a person in the DAO of the test. */
  const as = (principal: string, changes: Partial<CallerKey> = {}): CallerKey =>
    aCaller({ daoId: dao, principal, gateway: false, ...changes });
  const memberId = async (userId: string): Promise<string> =>
    (await people.members.list(admin, dao, { ...PAGE, userId })).items[0]!.id;
  const rightsOf = async (userId: string): Promise<readonly Entitlement[]> =>
    (await access.resolve(as(userId), { daoId: dao })).rights.entitlements;
  const recorded = async (chain = dao): Promise<Record<string, unknown>[]> => {
    const rows = fresh.database.all.selectFrom('audit').where('chain', '=', chain).orderBy('seq').select('entry');
    return (await rows.execute()).map(({ entry }) => JSON.parse(entry) as Record<string, unknown>);
  };
  const addRole = (name: string, entitlements: Entitlement[]): Promise<unknown> =>
    fresh.database.of(dao).insertInto('roles').values({ dao_id: dao, name, entitlements }).execute();
  const invite = (by: CallerKey, changes: Partial<InvitationRequest> = {}) =>
    people.invitations.create(by, dao, { roles: ['member'], uses: 1, hours: 1, ...changes });

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    const repository = new AccessRepository(database);
    await repository.grantPlatform('api:admin');
    const audit = new AuditRepository(database);
    access = new AccessService(repository, audit, () => undefined);
    const repositories = {
      audit,
      daos: new DaosRepository(database),
      invitations: new InvitationsRepository(database),
      members: new MembersRepository(database),
    };
    people = peopleOf({ access, repositories, roles: loadDefaultRoles() });
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    count += 1;
    dao = `dao-${String(count).padStart(3, '0')}`;
    await createDao(fresh.database, { id: dao });
  });

  describe('DAOs', () => {
    const request = { name: 'Made', facts: {}, profile: {} };

    it('are created by the platform alone, with the default roles and an admin, on its record', async () => {
      const id = `${dao}-made`;
      const made = await people.daos.create(admin, { ...request, id, admin: 'tg:9' });
      expect(made).toMatchObject({ id, name: 'Made', settings: {}, limits: {}, version: '1' });
      const found = await people.members.list(admin, id, PAGE);
      expect(found.items).toMatchObject([{ roles: ['admin'], user_ids: ['tg:9'] }]);
      const last = (await recorded('')).at(-1);
      expect(last).toMatchObject({ action: 'dao.create', subject: id, detail: { admin: found.items[0]?.id } });
      const admitted = { actor: 'api:admin', action: 'member.add', subject: found.items[0]?.id };
      expect(await recorded(id)).toMatchObject([{ ...admitted, seq: 1, detail: { roles: ['admin'] } }]);
      expect(await outcome(people.daos.create(admin, { ...request, id }))).toBe('DAO_EXISTS');
      expect(await recorded(id)).toHaveLength(1);
      expect(await outcome(people.daos.create(as('tg:1'), { ...request, id: 'x' }))).toBe('RBAC_PERMISSION_DENIED');
    });

    it('are listed part by part for the platform, and one by one for others', async () => {
      const first = await people.daos.list(admin, { after: '', limit: 1 });
      expect(first).toMatchObject({ items: [{ id: 'dao-001' }], next: 'dao-001' });
      const mine = await people.daos.list(as('tg:12345'), PAGE);
      expect(mine).toMatchObject({ items: [{ id: dao }], next: null });
      expect(await outcome(people.daos.list(aCaller(), PAGE))).toBe('RBAC_PERMISSION_DENIED');
      expect(await outcome(people.daos.get(as('tg:1'), 'dao-other'))).toBe('DAO_FORBIDDEN');
    });

    it('are changed by name, so that two admins who change different things do not meet', async () => {
      const [one, other] = [{ facts: { season: 'winter' } }, { facts: { purpose: null, place: 'here' }, name: 'New' }];
      await Promise.all([one, other].map((patch) => people.daos.change(as('tg:1'), dao, patch, undefined)));
      const after = await people.daos.get(as('tg:1'), dao);
      expect(after).toMatchObject({ name: 'New', version: '3' });
      expect(after.facts).toEqual({ season: 'winter', place: 'here' });
      expect((await recorded()).map(({ action }) => action)).toEqual(['dao.update', 'dao.update']);
      expect(JSON.stringify(await recorded())).not.toMatch(/winter|here|New/);
    });

    it('are left as they are when somebody else changed them meanwhile', async () => {
      await people.daos.change(as('tg:1'), dao, { name: 'First' }, ['1']);
      const late = people.daos.change(as('tg:1'), dao, { name: 'Second' }, ['1']);
      await expect(late).rejects.toMatchObject({ code: 'VERSION_CHANGED', detail: { version: '2' } });
      expect(await people.daos.get(as('tg:1'), dao)).toMatchObject({ name: 'First', version: '2' });
    });

    it('have settings that only a whole admin changes, and limits that only the platform does', async () => {
      await addRole('keeper', ['chat.read', 'config.update']);
      await people.members.add(admin, dao, { userId: 'tg:8', roles: ['keeper'] });
      const change = (key: CallerKey, patch: object) => people.daos.change(key, dao, patch, undefined);
      expect(await outcome(change(as('tg:8'), { facts: { a: 'b' } }))).toBe('done');
      expect(await outcome(change(as('tg:8'), { settings: { quorum: 0.1 } }))).toBe('RBAC_PERMISSION_DENIED');
      expect(await outcome(change(as('tg:1'), { settings: { quorum: 0.1, sealed: true } }))).toBe('done');
      expect(await outcome(change(as('tg:1'), { settings: { sealed: null } }))).toBe('done');
      expect(await outcome(change(as('tg:1'), { limits: { weight: 9 } }))).toBe('RBAC_PERMISSION_DENIED');
      expect(await outcome(change(admin, { limits: { weight: 2, requests_per_minute: 5 } }))).toBe('done');
      expect((await people.daos.get(as('tg:1'), dao)).settings).toEqual({ quorum: 0.1 });
      const acting = await access.resolve(as('tg:12345'), { daoId: dao });
      expect(acting).toMatchObject({ facts: { dao: { weight: 2 } }, limits: { requests_per_minute: 5 } });
    });

    it('have no more facts than they may', async () => {
      const facts = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`fact ${at}`, 'x']));
      expect(await outcome(people.daos.change(as('tg:1'), dao, { facts }, undefined))).toBe('BODY_INVALID');
      expect(
        await outcome(people.daos.change(as('tg:1'), dao, { facts: { ...facts, purpose: null } }, undefined)),
      ).toBe('done');
    });
  });

  describe('members', () => {
    it('are seen by those who may read, their ids by those who may invite, and by themselves', async () => {
      const seen = await people.members.list(as('tg:12345'), dao, PAGE);
      expect(seen.items).toHaveLength(3);
      expect(seen.items.filter(({ user_ids }) => user_ids)).toMatchObject([{ user_ids: ['tg:12345'] }]);
      expect((await people.members.list(as('tg:1'), dao, PAGE)).items.every(({ user_ids }) => user_ids)).toBe(true);
      const byId = { ...PAGE, userId: 'tg:222' };
      expect(await outcome(people.members.list(as('tg:12345'), dao, byId))).toBe('RBAC_PERMISSION_DENIED');
      expect((await people.members.list(as('tg:1'), dao, { ...PAGE, role: 'contributor' })).items).toHaveLength(1);
      expect(await people.members.get(as('tg:222'), dao, 'me')).toMatchObject({ roles: ['contributor'] });
      expect(await outcome(people.members.get(as('tg:guest'), dao, 'me'))).toBe('MEMBER_NOT_FOUND');
    });

    it('are listed part by part, each once', async () => {
      const all = (await people.members.list(as('tg:1'), dao, PAGE)).items.map(({ id }) => id);
      const walked: string[] = [];
      for (let after: string | null = ''; after !== null;) {
        const page = await people.members.list(as('tg:1'), dao, { after, limit: 1 });
        walked.push(...page.items.map(({ id }) => id));
        after = page.next;
      }
      expect(walked).toEqual(all);
    });

    it('are added once; the same again changes nothing, something else is refused', async () => {
      const add = (roles: string[], name?: string) =>
        people.members.add(as('tg:1'), dao, { userId: 'tg:5', roles, name });
      const first = await add(['member', 'contributor'], 'Ann');
      expect(first).toMatchObject({ added: true, member: { name: 'Ann', user_ids: ['tg:5'], version: '1' } });
      expect(await add(['contributor', 'member'])).toMatchObject({ added: false, member: { id: first.member.id } });
      expect(await outcome(add(['member']))).toBe('MEMBER_EXISTS');
      expect(await outcome(add(['contributor', 'member'], 'Bob'))).toBe('MEMBER_EXISTS');
      expect(await outcome(people.members.add(as('tg:1'), dao, { userId: 'tg:6', roles: ['no'] }))).toBe(
        'BODY_INVALID',
      );
      expect(await recorded()).toMatchObject([{ action: 'member.add', subject: first.member.id }]);
      expect(JSON.stringify(await recorded())).not.toMatch(/Ann|tg:5/);
    });

    it('are given, and lose, no more than whoever changes them has', async () => {
      await addRole('host', ['chat.read', 'chat.write', 'member.invite', 'member.remove']);
      await addRole('friend', ['chat.read', 'chat.write']);
      await people.members.add(as('tg:1'), dao, { userId: 'tg:7', roles: ['host'] });
      const host = as('tg:7');
      expect(await outcome(people.members.add(host, dao, { userId: 'tg:5', roles: ['friend'] }))).toBe('done');
      expect(await outcome(people.members.add(host, dao, { userId: 'tg:6', roles: ['member'] }))).toBe(
        'RBAC_PERMISSION_DENIED',
      );
      const other = await memberId('tg:12345');
      for (const refused of [
        people.members.change(host, dao, other, { roles: ['friend'] }, undefined),
        people.members.change(host, dao, other, { name: 'X' }, undefined),
        people.members.change(host, dao, 'me', { roles: ['admin'] }, undefined),
        people.members.remove(host, dao, { ref: other }, undefined),
        people.members.link(host, dao, other, 'tg:mine'),
        people.forgetting.forgetMember(host, dao, other),
      ]) {
        expect(await outcome(refused)).toBe('RBAC_PERMISSION_DENIED');
      }
      expect((await recorded()).at(-1)).toMatchObject({ action: 'access.denied', actor: await memberId('tg:7') });
      expect(await outcome(people.members.remove(host, dao, { userId: 'tg:5' }, undefined))).toBe('done');
    });

    it('are changed and removed at once, as they were seen', async () => {
      const id = await memberId('tg:222');
      const change = (roles: string[], expected?: string[]) =>
        people.members.change(as('tg:1'), dao, id, { roles }, expected);
      expect(await change(['member'], ['1'])).toMatchObject({ roles: ['member'], version: '2' });
      expect(await outcome(change(['contributor'], ['1']))).toBe('VERSION_CHANGED');
      expect(await rightsOf('tg:222')).not.toContain('agent.devtools');
      expect(await outcome(people.members.remove(as('tg:1'), dao, { ref: id }, ['1']))).toBe('VERSION_CHANGED');
      expect(await people.members.remove(as('tg:1'), dao, { userId: 'tg:222' }, ['2'])).toBe(id);
      expect(await rightsOf('tg:222')).toEqual(['chat.read']);
      expect(await outcome(people.members.remove(as('tg:1'), dao, { ref: id }, undefined))).toBe('MEMBER_NOT_FOUND');
    });

    it('keep somebody who may do everything, whoever asks', async () => {
      const id = await memberId('tg:1');
      for (const refused of [
        people.members.change(admin, dao, id, { roles: ['member'] }, undefined),
        people.members.remove(admin, dao, { ref: id }, undefined),
        people.members.remove(as('tg:1'), dao, { ref: 'me' }, undefined),
        people.forgetting.forgetMember(admin, dao, id),
        people.forgetting.forgetMe(as('tg:1'), dao, {}),
      ]) {
        expect(await outcome(refused)).toBe('LAST_ADMIN');
      }
      expect(await rightsOf('tg:1')).toContain('key.manage');
      await people.members.add(as('tg:1'), dao, { userId: 'tg:2', roles: ['admin'] });
      const [one, other] = ['tg:1', 'tg:2'];
      const both = await Promise.all([
        outcome(people.members.remove(as(one), dao, { userId: other }, undefined)),
        outcome(people.members.remove(as(other), dao, { userId: one }, undefined)),
      ]);
      expect(both.filter((result) => result === 'done')).toHaveLength(1);
      expect((await people.members.list(admin, dao, { ...PAGE, role: 'admin' })).items).toHaveLength(1);
    });

    it('have any number of ids, each with the same rights, and each of one member', async () => {
      const id = await memberId('tg:222');
      const linked = await people.members.link(as('tg:1'), dao, id, 'dc:222');
      expect(linked).toMatchObject({ user_ids: ['tg:222', 'dc:222'], version: '2' });
      expect(await rightsOf('dc:222')).toEqual(await rightsOf('tg:222'));
      expect(await people.members.link(as('tg:1'), dao, id, 'dc:222')).toMatchObject({ version: '2' });
      expect(await outcome(people.members.link(as('tg:1'), dao, id, 'tg:1'))).toBe('ID_TAKEN');
      expect(await outcome(people.members.unlink(as('tg:12345'), dao, id, 'dc:222'))).toBe('RBAC_PERMISSION_DENIED');
      expect(await people.members.unlink(as('dc:222'), dao, 'me', 'tg:222')).toMatchObject({ user_ids: ['dc:222'] });
      expect(await outcome(people.members.unlink(as('dc:222'), dao, 'me', 'dc:222'))).toBe('LAST_ID');
      expect(await rightsOf('tg:222')).toEqual(['chat.read']);
    });
  });

  describe('members within bounds', () => {
    it('have no more ids than they may', async () => {
      const id = await memberId('tg:222');
      const link = (at: number) => people.members.link(as('tg:1'), dao, id, `dc:${at}`);
      for (let at = 1; at < 20; at += 1) await link(at);
      expect(await outcome(link(20))).toBe('BODY_INVALID');
      expect(await outcome(link(19))).toBe('done');
    });

    it('are not kept by the principal of a key, which goes with the key', async () => {
      await people.members.add(admin, dao, { userId: 'api:k9', roles: ['admin'] });
      const id = await memberId('tg:1');
      expect(await outcome(people.members.change(admin, dao, id, { roles: ['member'] }, undefined))).toBe('LAST_ADMIN');
    });
  });

  describe('ids', () => {
    /** As it may stand in a database of before: nobody becomes a member by such an id any more. */
    const linkedKey = (member: string): Promise<unknown> =>
      fresh.database
        .of(dao)
        .insertInto('identities')
        .values({ dao_id: dao, user_id: 'api:x', member_id: member })
        .execute();

    it('stay where without them nobody who can act were an admin', async () => {
      const id = await memberId('tg:1');
      await linkedKey(id);
      for (const refused of [
        people.members.unlink(as('tg:1'), dao, 'me', 'tg:1'),
        people.members.unlink(admin, dao, id, 'tg:1'),
      ]) {
        expect(await outcome(refused)).toBe('LAST_ADMIN');
      }
      expect((await recorded()).map(({ action }) => action)).toEqual([]);
      await people.members.add(admin, dao, { userId: 'tg:2', roles: ['admin'] });
      expect(await outcome(people.members.unlink(as('tg:1'), dao, 'me', 'tg:1'))).toBe('done');
    });
  });

  describe('invitations', () => {
    it('make whoever has the secret a member, as often as they say', async () => {
      const { id, secret = '' } = await invite(as('tg:1'), { uses: 2 });
      const redeem = (user: string) => people.invitations.redeem(as(user), { secret });
      expect(await redeem('tg:20')).toMatchObject({ daoId: dao, member: { roles: ['member'], user_ids: ['tg:20'] } });
      expect(await outcome(redeem('tg:20'))).toBe('MEMBER_EXISTS');
      const many = ['tg:21', 'tg:22', 'tg:23'].map((user) => outcome(redeem(user)));
      expect((await Promise.all(many)).toSorted()).toEqual(['INVITATION_ENDED', 'INVITATION_ENDED', 'done']);
      expect((await people.invitations.list(as('tg:1'), dao, PAGE)).items).toEqual([]);
      const redeemed = (await recorded()).find(({ action }) => action === 'invitation.redeem');
      expect(redeemed).toMatchObject({ subject: id, actor: await memberId('tg:20'), detail: { roles: ['member'] } });
      const dump = JSON.stringify([
        await recorded(),
        await fresh.database.all.selectFrom('invitations').selectAll().execute(),
      ]);
      expect(dump).not.toContain(secret);
    });

    it('need no secret for whom they name, and are nobody else’s', async () => {
      const made = await invite(as('tg:1'), { userId: 'tg:30' });
      expect(made).not.toHaveProperty('secret');
      const gateway = as('api:bot', { gateway: true });
      expect(await outcome(people.invitations.redeem(as('tg:31'), { daoId: dao }))).toBe('INVITATION_NOT_FOUND');
      expect(await people.invitations.redeem(gateway, { daoId: dao, userId: 'tg:30' })).toMatchObject({
        member: { user_ids: ['tg:30'] },
      });
      expect(await outcome(invite(as('tg:1'), { userId: 'tg:30' }))).toBe('MEMBER_EXISTS');
    });

    it('end when they expire, are withdrawn, or the inviter may no longer give the roles', async () => {
      const redeem = (secret = '') => outcome(people.invitations.redeem(as('tg:40'), { secret }));
      const late = await invite(as('tg:1'));
      await fresh.database.of(dao).updateTable('invitations').set({ expires_at: new Date() }).execute();
      expect(await redeem(late.secret)).toBe('INVITATION_ENDED');

      const gone = await invite(as('tg:1'));
      await people.invitations.withdraw(as('tg:1'), dao, gone.id);
      expect(await outcome(people.invitations.withdraw(as('tg:1'), dao, gone.id))).toBe('INVITATION_NOT_FOUND');
      expect(await redeem(gone.secret)).toBe('INVITATION_NOT_FOUND');

      await people.members.add(as('tg:1'), dao, { userId: 'tg:2', roles: ['admin'] });
      const left = await invite(as('tg:2'), { roles: ['admin'] });
      await people.members.change(as('tg:1'), dao, await memberId('tg:2'), { roles: ['member'] }, undefined);
      expect(await redeem(left.secret)).toBe('INVITATION_ENDED');
      const bySomeoneElse = await invite(admin);
      expect(await redeem(bySomeoneElse.secret)).toBe('done');
      // A refused redemption uses nothing up.
      const rows = fresh.database.of(dao).selectFrom('invitations').where('id', '=', left.id).select('uses_left');
      expect(await rows.executeTakeFirst()).toEqual({ uses_left: 1 });
    });

    it('give no more than the inviter has, and open no other DAO', async () => {
      expect(await outcome(invite(as('tg:12345')))).toBe('RBAC_PERMISSION_DENIED');
      await addRole('host', ['chat.read', 'member.invite']);
      await people.members.add(as('tg:1'), dao, { userId: 'tg:7', roles: ['host'] });
      expect(await outcome(invite(as('tg:7'), { roles: ['admin'] }))).toBe('RBAC_PERMISSION_DENIED');
      const { secret = '' } = await invite(as('tg:1'));
      const elsewhere = aCaller({ daoId: 'dao-001-made', principal: 'tg:50' });
      expect(await outcome(people.invitations.redeem(elsewhere, { secret }))).toBe('DAO_FORBIDDEN');
      const forged = secret.replace(dao, 'dao-001');
      expect(await outcome(people.invitations.redeem(aCaller({ principal: 'tg:50' }), { secret: forged }))).toBe(
        'INVITATION_NOT_FOUND',
      );
      expect(await outcome(people.invitations.redeem(as('tg:50'), { secret: 'nonsense' }))).toBe(
        'INVITATION_NOT_FOUND',
      );
    });

    it('link a second id by a code that its member asked for, once', async () => {
      const first = await people.invitations.linkCode(as('tg:222'), dao, {});
      const { code: secret } = await people.invitations.linkCode(as('tg:222'), dao, {});
      const redeem = (user: string, code = secret) => people.invitations.redeem(as(user), { secret: code });
      expect(await outcome(redeem('dc:1', first.code))).toBe('INVITATION_NOT_FOUND');
      expect(await outcome(redeem('tg:1'))).toBe('ID_TAKEN');
      expect(await redeem('dc:1')).toMatchObject({ member: { user_ids: ['tg:222', 'dc:1'], roles: ['contributor'] } });
      expect(await outcome(redeem('dc:2'))).toBe('INVITATION_ENDED');
      expect(await outcome(people.invitations.linkCode(as('tg:guest'), dao, {}))).toBe('MEMBER_NOT_FOUND');
      expect((await people.invitations.list(as('tg:1'), dao, PAGE)).items).toEqual([]);
      expect((await recorded()).map(({ action }) => action)).toContain('member.link');
    });

    it('are no way around what a key was narrowed to', async () => {
      const narrow = as('tg:1', { scopes: ['chat.read'] });
      expect(await outcome(people.invitations.linkCode(narrow, dao, {}))).toBe('RBAC_PERMISSION_DENIED');
      expect(await outcome(people.forgetting.forgetMe(narrow, dao, {}))).toBe('RBAC_PERMISSION_DENIED');
      const owned = as('api:bot', { gateway: true, owner: await memberId('tg:12345') });
      expect(await outcome(people.invitations.linkCode(owned, dao, { userId: 'tg:1' }))).toBe('ACTING_NOT_ALLOWED');
      expect(await outcome(people.invitations.linkCode(owned, dao, { userId: 'tg:12345' }))).toBe('done');
    });

    it('are redeemed with no key that lets through less than they give', async () => {
      const { secret = '' } = await invite(as('tg:1'), { uses: 9 });
      const { code } = await people.invitations.linkCode(as('tg:222'), dao, {});
      const named = await invite(as('tg:1'), { userId: 'tg:61' });
      const narrow = (user: string) => as(user, { scopes: ['chat.read'] });
      for (const refused of [
        people.invitations.redeem(narrow('tg:60'), { secret }),
        people.invitations.redeem(narrow('tg:60'), { secret: code }),
        people.invitations.redeem(narrow('tg:61'), { daoId: dao }),
        people.invitations.redeem(as('api:bot', { gateway: true, scopes: ['chat.read'] }), { secret, userId: 'tg:60' }),
      ]) {
        expect(await outcome(refused)).toBe('RBAC_PERMISSION_DENIED');
      }
      expect(await rightsOf('tg:60')).toEqual(['chat.read']);
      expect((await people.invitations.list(as('tg:1'), dao, PAGE)).items).toMatchObject([
        { uses_left: 9 },
        { id: named.id },
      ]);
      const enough = as('tg:60', { scopes: [...(await rightsOf('tg:12345'))] });
      expect(await outcome(people.invitations.redeem(enough, { secret }))).toBe('done');
    });

    it('are not made by an id that an admin has just linked', async () => {
      await people.members.link(admin, dao, await memberId('tg:222'), 'tg:sock');
      expect(await outcome(people.invitations.linkCode(as('tg:sock'), dao, {}))).toBe('IDENTITY_TOO_NEW');
      expect(await outcome(people.invitations.linkCode(as('tg:222'), dao, {}))).toBe('done');
    });

    it('are for people: no key becomes a member, nor does a name that only looks like one', async () => {
      const { secret = '' } = await invite(as('tg:1'), { uses: 9 });
      const { code } = await people.invitations.linkCode(as('tg:222'), dao, {});
      for (const principal of ['api:bot', 'p_0', 'x_0', 'tg:\u200b1', ' tg:1']) {
        for (const one of [secret, code]) {
          expect(await outcome(people.invitations.redeem(as(principal), { secret: one }))).toBe('BODY_INVALID');
        }
        expect(await outcome(people.invitations.redeem(as(principal), { daoId: dao }))).toBe('BODY_INVALID');
      }
      const bot = as('api:bot', { gateway: true });
      await expect(people.invitations.redeem(bot, { secret })).rejects.toThrow(/names its user in user_id/);
      expect(await outcome(people.invitations.redeem(bot, { secret, userId: 'tg:62' }))).toBe('done');
    });

    it('are no more open at a time than may be', async () => {
      const many = Array.from({ length: 999 }, (_, at) => ({ id: `i${at}`, hash: `${dao} ${at}` }));
      const rest = {
        ...{ dao_id: dao, roles: ['member'], uses_left: 1 },
        expires_at: sql<Date>`now() + interval '1 day'`,
      };
      const rows = many.map((one) => ({ ...one, ...rest, created_by: PLATFORM_OWNER }));
      await fresh.database.of(dao).insertInto('invitations').values(rows).execute();
      const last = await invite(as('tg:1'));
      expect(await outcome(invite(as('tg:1')))).toBe('BODY_INVALID');
      await people.invitations.withdraw(as('tg:1'), dao, last.id);
      expect(await outcome(invite(as('tg:1')))).toBe('done');
    });
  });

  describe('keys that somebody else answers for', () => {
    /** Of the DAO's admin, for another admin whom it could become: nothing that it lets through is lacking. */
    const lent = async (changes: Partial<CallerKey> = {}): Promise<CallerKey> => {
      await people.members.add(admin, dao, { userId: 'tg:2', roles: ['admin'] });
      await people.members.link(admin, dao, await memberId('tg:2'), 'dc:2');
      return as('tg:2', { id: 'lent', owner: await memberId('tg:1'), ...changes });
    };

    it('do nothing that only the person may, which is on the record', async () => {
      const [key, gateway] = [await lent(), as('api:bot', { gateway: true, owner: await memberId('tg:1') })];
      const named = { userId: 'tg:2' };
      for (const refused of [
        people.invitations.linkCode(key, dao, {}),
        people.invitations.linkCode(gateway, dao, named),
        people.forgetting.forgetMe(key, dao, {}),
        people.forgetting.forgetMe(gateway, dao, named),
        people.members.unlink(key, dao, 'me', 'dc:2'),
        people.members.unlink(key, dao, await memberId('tg:2'), 'dc:2'),
        people.forgetting.forgetMe(gateway, dao, { userId: 'tg:guest' }),
      ]) {
        expect(await outcome(refused)).toBe('ACTING_NOT_ALLOWED');
      }
      const denied = (await recorded()).filter(({ action }) => action === 'access.denied');
      const lentBy = { id: 'lent', owner: await memberId('tg:1') };
      const detail = expect.objectContaining({ code: 'ACTING_NOT_ALLOWED', key: lentBy }) as unknown;
      expect(denied).toContainEqual(expect.objectContaining({ actor: await memberId('tg:2'), detail }));
      expect(await people.members.get(as('tg:2'), dao, 'me')).toMatchObject({ user_ids: ['tg:2', 'dc:2'] });
    });

    it('make nobody’s id that of whoever answers for them', async () => {
      const { code: secret } = await people.invitations.linkCode(as('tg:222'), dao, {});
      const owner = await memberId('tg:222');
      const theirs = as('tg:victim', { owner });
      expect(await outcome(people.invitations.redeem(theirs, { secret }))).toBe('ACTING_NOT_ALLOWED');
      const bot = as('api:bot', { gateway: true, owner });
      expect(await outcome(people.invitations.redeem(bot, { secret, userId: 'tg:victim' }))).toBe('ACTING_NOT_ALLOWED');
      expect(await rightsOf('tg:victim')).toEqual(['chat.read']);
      const invitation = { secret: (await invite(as('tg:1'))).secret ?? '' };
      expect(await outcome(people.invitations.redeem(theirs, invitation))).toBe('ACTING_NOT_ALLOWED');
      expect(await outcome(people.invitations.redeem(bot, { ...invitation, userId: 'tg:victim' }))).toBe(
        'ACTING_NOT_ALLOWED',
      );
      expect(await outcome(people.invitations.redeem(as('dc:222'), { secret }))).toBe('done');
    });

    it('are named by the record wherever they act, and no others are', async () => {
      const key = await lent();
      await people.daos.change(key, dao, { name: 'New' }, undefined);
      await people.daos.change(as('tg:2'), dao, { name: 'Newer' }, undefined);
      const own = as('tg:2', { id: 'own', owner: await memberId('tg:2') });
      await people.daos.change(own, dao, { name: 'Newest' }, undefined);
      const [first, ...others] = (await recorded()).filter(({ action }) => action === 'dao.update');
      expect(first).toMatchObject({
        actor: await memberId('tg:2'),
        detail: { key: { id: 'lent', owner: await memberId('tg:1') } },
      });
      expect(others).toHaveLength(2);
      for (const { detail } of others) expect(detail).not.toHaveProperty('key');
    });

    it('do not forget themselves, nor does any key that acts for nobody', async () => {
      for (const key of [as('api:bot', { gateway: true }), admin, as('api:plain')]) {
        expect(await outcome(people.forgetting.forgetMe(key, dao, {}))).toBe('QUERY_INVALID');
      }
    });
  });
});
