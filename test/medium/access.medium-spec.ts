import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { openPostgres, type Database, type Db } from '../../src/adapters/store/database.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';
import {
  addMember,
  linkIdentity,
  memberByUser,
  removeMember,
  unlinkIdentity,
  updateMember,
} from '../../src/adapters/store/members.repository.js';
import { PLATFORM_OWNER, type DaoSeen } from '../../src/contracts/access.js';
import type { AuditEntry, AuditEvent } from '../../src/contracts/audit.js';
import { resolveRights } from '../../src/domain/access.js';
import { aDao, createDao } from '../factories/access.js';
import { freshDatabase } from '../support/postgres.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const ROLES = loadDefaultRoles();

describe.each(DATABASES)('access on %s', (_name, open) => {
  let fresh: Fresh;
  let access: AccessRepository;

  beforeAll(async () => {
    fresh = await open();
    access = new AccessRepository(fresh.database);
    await createDao(fresh.database);
    await createDao(fresh.database, { id: 'other-dao', name: 'Other DAO', members: { 'tg:12345': ['admin'] } });
  });

  afterAll(() => fresh.drop());

  const rolesOf = async (dao: string, user: string): Promise<string[] | undefined> =>
    (await access.byUser(dao, user))?.roles.map(({ name }) => name);

  it('should know what a member is and may do', async () => {
    expect(await access.byUser(DAO, 'tg:12345')).toEqual({
      dao: { id: DAO, name: 'GreenFood DAO' },
      limits: {},
      member: expect.stringMatching(/^p_[0-9a-f]{32}$/) as unknown,
      roles: [{ name: 'member', entitlements: ROLES.member }],
    });
  });

  describe('of a DAO that the very call has seen', () => {
    const KEY = { id: 'seen', hash: 'seen', name: 'n', dao_id: DAO, principal: 'tg:12345', gateway: false };
    const seen = async (): Promise<DaoSeen> => {
      const { dao } = (await new KeysRepository(fresh.database).findActive('seen')) ?? {};
      if (!dao) throw new Error('no DAO with the key');
      return dao;
    };
    /** It has no database: whoever is asked about must be known. */
    const cutOff = (): AccessRepository => {
      const none = new Proxy({} as Database, {
        get: () => {
          throw new Error('asked');
        },
      });
      return Object.assign(new AccessRepository(none), { known: Reflect.get(access, 'known') as unknown });
    };

    beforeAll(() => new KeysRepository(fresh.database).put({ ...KEY, owner: PLATFORM_OWNER }));

    it('should know a person again without a question', async () => {
      const person = await access.byUser(DAO, 'tg:12345');
      expect(await cutOff().byUser(DAO, 'tg:12345', await seen())).toEqual(person);
    });

    it('should ask where the person is not known, or the call has waited, or the DAO is another', async () => {
      await access.byUser(DAO, 'tg:12345');
      const dao = await seen();
      const asked = (daoId: string, user: string, as: DaoSeen): Promise<unknown> => cutOff().byUser(daoId, user, as);
      await expect(asked(DAO, 'tg:54321', dao)).rejects.toThrow('asked');
      await expect(asked(DAO, 'tg:12345', { ...dao, at: dao.at - 51 })).rejects.toThrow('asked');
      await expect(asked('other-dao', 'tg:12345', dao)).rejects.toThrow('asked');
    });

    it('should see a role that was taken before the call', async () => {
      const db = fresh.database.of(DAO);
      const before = await memberByUser(db, DAO, 'tg:12345');
      await access.byUser(DAO, 'tg:12345');
      await updateMember(db, DAO, before?.id ?? '', { roles: [] });
      expect((await access.byUser(DAO, 'tg:12345', await seen()))?.roles.map(({ name }) => name)).toEqual(['guest']);
      await updateMember(db, DAO, before?.id ?? '', { roles: before?.roles ?? [] });
      expect((await access.byUser(DAO, 'tg:12345', await seen()))?.roles.map(({ name }) => name)).toEqual(['member']);
    });
  });

  it('should take an unknown user for a guest, whatever the id looks like', async () => {
    for (const user of ['tg:99', 'admin', 'api:admin', 'tg:1 ', 'TG:1', '', "tg:1' or '1'='1"]) {
      const person = await access.byUser(DAO, user);
      expect(person).toMatchObject({ member: null, roles: [{ name: 'guest', entitlements: ['chat.read'] }] });
    }
  });

  it('should take a member without roles for a guest, who is a member still', async () => {
    const { member } = (await access.byUser(DAO, 'tg:222')) ?? {};
    const db = fresh.database.of(DAO);
    const before = await memberByUser(db, DAO, 'tg:222');
    await updateMember(db, DAO, member ?? '', { roles: [] });
    for (const person of [await access.byUser(DAO, 'tg:222'), await access.byMember(DAO, member ?? '')])
      expect(person).toMatchObject({ member, roles: [{ name: 'guest', entitlements: ['chat.read'] }] });
    await updateMember(db, DAO, member ?? '', { roles: before?.roles ?? [] });
    expect(await rolesOf(DAO, 'tg:222')).toEqual(before?.roles);
  });

  it('should know a member by its own id, and take one that is not there for a guest', async () => {
    const person = await access.byUser(DAO, 'tg:12345');
    expect(await access.byMember(DAO, person?.member ?? '')).toEqual(person);
    for (const id of ['p_nobody', 'tg:12345', ''])
      expect(await access.byMember(DAO, id)).toMatchObject({ member: null, roles: [{ name: 'guest' }] });
    expect(await access.byMember('other-dao', person?.member ?? '')).toMatchObject({ member: null });
    expect(await access.byMember('no-dao', person?.member ?? '')).toBeUndefined();
  });

  it('should keep a person’s roles in one DAO apart from those in another', async () => {
    const here = await access.byUser(DAO, 'tg:12345');
    const there = await access.byUser('other-dao', 'tg:12345');
    expect(here?.member).not.toBe(there?.member);
    expect([here?.roles[0]?.name, there?.roles[0]?.name]).toEqual(['member', 'admin']);
    expect(await rolesOf('other-dao', 'tg:1')).toEqual(['guest']);
  });

  it('should have no facts about a DAO that is not there', async () => {
    expect(await access.byUser('no-dao', 'tg:1')).toBeUndefined();
  });

  it('should hold several roles at once', async () => {
    await createDao(fresh.database, { id: 'several', members: { 'tg:5': ['member', 'contributor'] } });
    const person = await access.byUser('several', 'tg:5');
    const rights = person && resolveRights({ ...person, member: person.member ?? '', platformAdmin: false });
    expect(rights).toMatchObject({ roles: ['contributor', 'member'] });
    expect(rights?.entitlements).toEqual(expect.arrayContaining(['agent.devtools', 'proposal.vote', 'chat.write']));
  });

  it('should tell of a platform grant of the principal that has it', async () => {
    await access.grantPlatform('api:admin');
    await access.grantPlatform('api:admin');
    expect(await access.hasPlatformGrant('api:admin')).toBe(true);
    for (const other of ['tg:1', 'api:admin ', '']) expect(await access.hasPlatformGrant(other)).toBe(false);
  });

  it('should list the roles of a DAO', async () => {
    const roles = await access.rolesOf(DAO);
    expect(roles.map(({ name }) => name)).toEqual(['admin', 'contributor', 'guest', 'member']);
    expect(roles[2]).toEqual({ name: 'guest', entitlements: ['chat.read'] });
    expect(await access.rolesOf('no-dao')).toEqual([]);
  });

  it('should leave a DAO that exists as it is', async () => {
    expect(await createDao(fresh.database, { name: 'Renamed', members: { 'tg:77': ['admin'] } })).toBe(false);
    expect((await access.byUser(DAO, 'tg:77'))?.dao.name).toBe('GreenFood DAO');
    expect(await rolesOf(DAO, 'tg:77')).toEqual(['guest']);
  });

  it('should create a DAO once when several do at once', async () => {
    const created = await Promise.all(Array.from({ length: 5 }, () => createDao(fresh.database, { id: 'raced' })));
    expect(created.filter(Boolean)).toHaveLength(1);
  });

  it('should create nothing of a DAO whose members are not valid', async () => {
    const broken = aDao({
      id: 'broken',
      members: { 'tg:1': ['admin'], 'tg:2': null as unknown as string[] },
    });
    await expect(new DaosRepository(fresh.database).create(broken, ROLES)).rejects.toThrow();
    expect(await access.byUser('broken', 'tg:1')).toBeUndefined();
  });

  it('should write down who was refused what, in order, by ids that only the DAO can resolve', async () => {
    const audit = new AuditRepository(fresh.database);
    const denied = (user: string): AuditEvent => ({
      actor: user,
      action: 'access.denied',
      subject: { user },
      detail: { roles: ['guest'] },
    });
    for (const user of ['tg:99', 'tg:12345', 'tg:99']) await audit.append(DAO, denied(user));
    await audit.append('other-dao', denied('tg:99'));
    await audit.append(null, { actor: 'api:admin', action: 'key.create', subject: 'k' });
    const entries = (await audit.page(DAO, { after: 0, limit: 10 })).map(
      ({ entry }) => JSON.parse(entry) as AuditEntry,
    );
    const stranger = entries[0]?.actor ?? '';
    const person = (await access.byUser(DAO, 'tg:12345'))?.member;
    expect(stranger).toMatch(/^x_[0-9a-f]{32}$/);
    expect(entries.map(({ seq, actor, subject }) => [seq, actor, subject])).toEqual([
      [1, stranger, stranger],
      [2, person, person],
      [3, stranger, stranger],
    ]);
    expect(entries[0]).toMatchObject({ chain: DAO, action: 'access.denied', detail: { roles: ['guest'] } });
    expect(entries.every(({ at }) => Math.abs(Date.now() - Date.parse(at)) < 60_000)).toBe(true);
    const [theirs] = await audit.page('other-dao', { after: 0, limit: 10 });
    expect(theirs?.seq).toBe(1);
    expect(theirs?.entry).not.toContain(stranger);
    const [platform] = await audit.page(null, { after: 0, limit: 10 });
    expect(JSON.parse(platform?.entry ?? '')).toMatchObject({
      chain: '',
      actor: 'api:admin',
      subject: 'k',
      detail: {},
    });
  });
});

/** The same database as two processes see it: on PostgreSQL over connections of their own. */
async function twoOnPostgres(): Promise<{ handles: [Database, Database]; drop: () => Promise<void> }> {
  const { url, drop } = await freshDatabase();
  const handles: [Database, Database] = [openPostgres(url), openPostgres(url)];
  await handles[0].migrate();
  return {
    handles,
    drop: async () => {
      await Promise.all(handles.map((one) => one.close()));
      await drop();
    },
  };
}

async function twoEmbedded(): Promise<{ handles: [Database, Database]; drop: () => Promise<void> }> {
  const { database, drop } = await DATABASES[0]![1]();
  return { handles: [database, database], drop };
}

describe.each([
  ['PGlite', twoEmbedded],
  ['PostgreSQL', twoOnPostgres],
])('rights that a process remembers, on %s', (_name, open) => {
  let daos = 0;
  let dao: string;
  let drop: () => Promise<void>;
  let handles: [Database, Database];
  /** Where rights are remembered, and where another process changes them. */
  let remembering: AccessRepository;
  let elsewhere: Db;
  let member: string;

  beforeAll(async () => {
    ({ handles, drop } = await open());
  });
  afterAll(() => drop());

  beforeEach(async () => {
    dao = `dao-${(daos += 1)}`;
    await createDao(handles[0], { id: dao });
    remembering = new AccessRepository(handles[0]);
    elsewhere = handles[1].of(dao);
    member = (await remembering.byUser(dao, 'tg:12345'))?.member ?? '';
    await remembering.byMember(dao, member);
  });

  const roles = async (user = 'tg:12345'): Promise<string[] | undefined> =>
    (await remembering.byUser(dao, user))?.roles.map(({ name }) => name);

  it('should be the same by every id that is linked to a member, from the moment on', async () => {
    expect(await roles('dc:7')).toEqual(['guest']);
    await linkIdentity(elsewhere, dao, member, 'dc:7');
    expect(await remembering.byUser(dao, 'dc:7')).toEqual(await remembering.byUser(dao, 'tg:12345'));
    expect(await roles('dc:7')).toEqual(['member']);
    await updateMember(elsewhere, dao, member, { roles: ['contributor'] });
    expect([await roles('dc:7'), await roles()]).toEqual([['contributor'], ['contributor']]);
    expect(await unlinkIdentity(elsewhere, dao, member, 'dc:7')).toBe(true);
    expect([await roles('dc:7'), await roles()]).toEqual([['guest'], ['contributor']]);
  });

  it('should be gone with the next question once a role is taken away, by member too', async () => {
    await updateMember(elsewhere, dao, member, { roles: [] });
    expect(await roles()).toEqual(['guest']);
    expect((await remembering.byMember(dao, member))?.roles.map(({ name }) => name)).toEqual(['guest']);
  });

  it('should follow what a role gives, and whether there is one', async () => {
    const given = async (): Promise<string[] | undefined> =>
      (await remembering.byUser(dao, 'tg:12345'))?.roles[0]?.entitlements;
    await elsewhere
      .updateTable('roles')
      .set({ entitlements: ['chat.read'] })
      .where('name', '=', 'member')
      .execute();
    expect(await given()).toEqual(['chat.read']);
    await elsewhere.deleteFrom('roles').where('name', '=', 'member').execute();
    expect(await roles()).toEqual([]);
    await elsewhere
      .insertInto('roles')
      .values({ dao_id: dao, name: 'member', entitlements: ['chat.write'] })
      .execute();
    expect(await given()).toEqual(['chat.write']);
  });

  it('should be a guest’s once the member is removed, and another’s once the id is', async () => {
    await removeMember(elsewhere, dao, member);
    expect(await remembering.byUser(dao, 'tg:12345')).toMatchObject({ member: null, roles: [{ name: 'guest' }] });
    expect(await remembering.byMember(dao, member)).toMatchObject({ member: null, roles: [{ name: 'guest' }] });
    const again = await addMember(elsewhere, dao, { userId: 'tg:12345', roles: ['admin'] });
    expect(again).not.toBe(member);
    expect(await remembering.byUser(dao, 'tg:12345')).toMatchObject({ member: again, roles: [{ name: 'admin' }] });
  });

  it('should not outlive their DAO, even in one of the same id', async () => {
    await handles[1].all.deleteFrom('daos').where('id', '=', dao).execute();
    expect(await remembering.byUser(dao, 'tg:12345')).toBeUndefined();
    await createDao(handles[1], { id: dao, members: { 'tg:9': ['admin'] } });
    expect(await remembering.byUser(dao, 'tg:12345')).toMatchObject({ member: null, roles: [{ name: 'guest' }] });
    expect(await remembering.byMember(dao, member)).toMatchObject({ member: null });
    expect(await roles('tg:9')).toEqual(['admin']);
  });

  it('should not be seen before a change is committed, nor after it was taken back', async () => {
    const rolledBack = handles[1]
      .of(dao)
      .transaction()
      .execute(async (db) => {
        await updateMember(db, dao, member, { roles: ['admin'] });
        expect((await memberByUser(db, dao, 'tg:12345'))?.roles).toEqual(['admin']);
        throw new Error('taken back');
      });
    await expect(rolledBack).rejects.toThrow('taken back');
    expect(await roles()).toEqual(['member']);
  });

  it('should name the DAO as it is now', async () => {
    await elsewhere.updateTable('daos').set({ name: 'Renamed' }).where('id', '=', dao).execute();
    expect(await remembering.byUser(dao, 'tg:12345')).toMatchObject({ dao: { id: dao, name: 'Renamed' }, member });
  });
});
