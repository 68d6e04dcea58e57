import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import type { Db } from '../../src/adapters/store/database.js';
import { resolveRights } from '../../src/domain/access.js';
import { aDao, createDao } from '../factories/access.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';

describe.each(DATABASES)('access on %s', (_name, open) => {
  let fresh: Fresh;
  let db: Db;
  let access: AccessRepository;

  beforeAll(async () => {
    fresh = await open();
    db = fresh.database.all;
    access = new AccessRepository(db);
    await createDao(fresh.database);
    await createDao(fresh.database, { id: 'other-dao', name: 'Other DAO', members: { 'tg:12345': ['admin'] } });
  });

  afterAll(() => fresh.drop());

  it('should know what a member is and may do', async () => {
    expect(await access.facts(DAO, 'tg:12345', false)).toEqual({
      dao: { id: DAO, name: 'GreenFood DAO' },
      roles: [{ name: 'member', entitlements: loadDefaultRoles().member }],
      platformAdmin: false,
    });
  });

  it('should take an unknown user for a guest, whatever the id looks like', async () => {
    for (const user of ['tg:99', 'admin', 'api:admin', 'tg:1 ', 'TG:1', '', "tg:1' or '1'='1"]) {
      const facts = await access.facts(DAO, user, false);
      expect(facts?.roles).toEqual([{ name: 'guest', entitlements: ['chat.read'] }]);
    }
  });

  it('should keep a person’s roles in one DAO apart from those in another', async () => {
    const [here, there] = await Promise.all(
      ['greenfood-dao', 'other-dao'].map((dao) => access.facts(dao, 'tg:12345', false)),
    );
    expect(here?.roles.map(({ name }) => name)).toEqual(['member']);
    expect(there?.roles.map(({ name }) => name)).toEqual(['admin']);
    expect((await access.facts('other-dao', 'tg:1', false))?.roles.map(({ name }) => name)).toEqual(['guest']);
  });

  it('should have no facts about a DAO that is not there', async () => {
    expect(await access.facts('no-dao', 'tg:1', true)).toBeUndefined();
  });

  it('should hold several roles at once', async () => {
    await createDao(fresh.database, { id: 'several', members: { 'tg:5': ['member', 'contributor'] } });
    const facts = await access.facts('several', 'tg:5', false);
    expect(facts && resolveRights(facts)).toMatchObject({ roles: ['contributor', 'member'] });
    expect(facts && resolveRights(facts).entitlements).toEqual(
      expect.arrayContaining(['agent.devtools', 'proposal.vote', 'chat.write']),
    );
  });

  it('should tell of a platform grant only when it is asked for one', async () => {
    await access.grantPlatform('api:admin');
    await access.grantPlatform('api:admin');
    expect((await access.facts(DAO, 'api:admin', true))?.platformAdmin).toBe(true);
    expect((await access.facts(DAO, 'api:admin', false))?.platformAdmin).toBe(false);
    expect((await access.facts(DAO, 'tg:1', true))?.platformAdmin).toBe(false);
  });

  it('should list the roles of a DAO', async () => {
    const roles = await access.rolesOf(DAO);
    expect(roles.map(({ name }) => name)).toEqual(['admin', 'contributor', 'guest', 'member']);
    expect(roles[2]).toEqual({ name: 'guest', entitlements: ['chat.read'] });
    expect(await access.rolesOf('no-dao')).toEqual([]);
  });

  it('should leave a DAO that exists as it is', async () => {
    expect(await createDao(fresh.database, { name: 'Renamed', members: { 'tg:77': ['admin'] } })).toBe(false);
    expect((await access.facts(DAO, 'tg:77', false))?.dao.name).toBe('GreenFood DAO');
    expect((await access.facts(DAO, 'tg:77', false))?.roles.map(({ name }) => name)).toEqual(['guest']);
  });

  it('should create a DAO once when several do at once', async () => {
    const created = await Promise.all(Array.from({ length: 5 }, () => createDao(fresh.database, { id: 'raced' })));
    expect(created.filter(Boolean)).toHaveLength(1);
  });

  it('should create nothing of a DAO whose members are not valid', async () => {
    const broken = aDao({
      id: 'broken',
      members: { 'tg:1': [null as unknown as string], 'tg:2': null as unknown as string[] },
    });
    await expect(access.createDao(broken, loadDefaultRoles())).rejects.toThrow();
    expect(await access.facts('broken', 'tg:1', false)).toBeUndefined();
  });

  it('should write down who was refused what, in order', async () => {
    const audit = new AuditRepository(db);
    await audit.append({
      daoId: DAO,
      actor: 'tg:99',
      action: 'access.denied',
      subject: 'tg:99',
      detail: { roles: ['guest'] },
    });
    await audit.append({ daoId: null, actor: 'api:admin', action: 'key.create', subject: 'k' });
    const rows = await db.selectFrom('audit').selectAll().orderBy('id').execute();
    expect(rows).toMatchObject([
      { dao_id: DAO, actor: 'tg:99', action: 'access.denied', subject: 'tg:99', detail: { roles: ['guest'] } },
      { dao_id: null, actor: 'api:admin', action: 'key.create', subject: 'k', detail: {} },
    ]);
    expect(rows.every(({ at }) => Math.abs(Date.now() - at.getTime()) < 60_000)).toBe(true);
  });
});
