import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KeysRepository, type NewKey } from '../../src/adapters/store/keys.repository.js';
import { aKey, createDao } from '../factories/access.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
/** One part that holds them all. */
const ALL = { after: '', limit: 1_000 };

describe.each(DATABASES)('keys on %s', (_name, open) => {
  let fresh: Fresh;
  let keys: KeysRepository;

  beforeAll(async () => {
    fresh = await open();
    keys = new KeysRepository(fresh.database);
    await createDao(fresh.database);
    await createDao(fresh.database, { id: 'other-dao', members: {} });
  });

  afterAll(() => fresh.drop());

  async function inserted(changes: Partial<NewKey> = {}): Promise<NewKey> {
    const key = aKey(changes);
    await keys.insert(fresh.database.all, key);
    return key;
  }

  it('should be found by its hash, with what it opens', async () => {
    const key = await inserted({ principal: 'tg:1', gateway: false });
    expect(await keys.findActive(key.hash)).toEqual({
      ...{ id: key.id, daoId: DAO, principal: 'tg:1', gateway: false },
      ...{ owner: 'platform', scopes: null },
      dao: {
        id: DAO,
        name: 'GreenFood DAO',
        limits: {},
        stamp: expect.stringMatching(/^\d+$/),
        at: expect.any(Number),
      },
    });
    const all = await inserted({ dao_id: null });
    expect(await keys.findActive(all.hash)).toMatchObject({ daoId: null, gateway: true });
    expect(await keys.findActive('no such hash')).toBeUndefined();
  });

  it('should be known to have been used, and no other with it', async () => {
    const [used, other] = [await inserted(), await inserted()];
    await keys.touch(used.id);
    const shown = await keys.list(DAO, ALL);
    const at = (id: string): Date | null | undefined => shown.find((key) => key.id === id)?.last_used_at;
    expect(Date.now() - (at(used.id)?.getTime() ?? 0)).toBeLessThan(10_000);
    expect(at(other.id)).toBeNull();
  });

  it('should never show its hash', async () => {
    const key = aKey();
    const shown = [await keys.insert(fresh.database.all, key), ...(await keys.list(DAO, ALL))];
    expect(shown.length).toBeGreaterThan(1);
    expect(JSON.stringify(shown)).not.toContain(key.hash);
    const never = { last_used_at: null, revoked_at: null, expires_at: null };
    expect(shown[0]).toMatchObject({
      id: key.id,
      name: 'a key',
      dao_id: DAO,
      owner: 'platform',
      scopes: null,
      ...never,
    });
  });

  it('should open nothing once it is revoked, and be revoked once', async () => {
    const key = await inserted();
    expect(await keys.revoke(fresh.database.of(DAO), key.id)).toBe(true);
    expect(await keys.findActive(key.hash)).toBeUndefined();
    const revokedAt = (await keys.find(key.id, DAO))?.revoked_at;
    expect(revokedAt).toBeInstanceOf(Date);
    expect(await keys.revoke(fresh.database.of(DAO), key.id)).toBe(false);
    expect((await keys.list(DAO, ALL)).find(({ id }) => id === key.id)?.revoked_at).toEqual(revokedAt);
  });

  it('should be revoked by its own DAO, or by whoever rules over all', async () => {
    const [theirs, everywhere] = [await inserted({ dao_id: 'other-dao' }), await inserted({ dao_id: null })];
    for (const { id } of [theirs, everywhere]) {
      expect(await keys.find(id, DAO)).toBeUndefined();
      expect(await keys.revoke(fresh.database.of(DAO), id)).toBe(false);
      await keys.expire(fresh.database.of(DAO), id, 0);
    }
    expect(await keys.findActive(theirs.hash)).toBeDefined();
    expect(await keys.findActive(everywhere.hash)).toBeDefined();
    expect(await keys.find(theirs.id, null)).toMatchObject({ dao_id: 'other-dao' });
    expect(await keys.revoke(fresh.database.of('other-dao'), theirs.id)).toBe(true);
    expect(await keys.revoke(fresh.database.all, everywhere.id)).toBe(true);
  });

  it('should have an owner and be narrowed, to no more than there is', async () => {
    const key = await inserted({ owner: 'p_1', scopes: ['chat.read', 'no.such', 'key.manage'] });
    // An owner who is gone, or was never there, answers for nothing.
    expect(await keys.findActive(key.hash)).toBeUndefined();
    const owner = { dao_id: DAO, id: 'p_1', name: null, roles: ['member'] };
    await fresh.database.all
      .insertInto('members')
      .values({ ...owner, dao_id: 'other-dao' })
      .execute();
    expect(await keys.findActive(key.hash)).toBeUndefined();
    await fresh.database.all.insertInto('members').values(owner).execute();
    expect(await keys.findActive(key.hash)).toMatchObject({ owner: 'p_1', scopes: ['chat.read', 'key.manage'] });
    expect(await keys.find(key.id, DAO)).toMatchObject({ owner: 'p_1', scopes: key.scopes });
    const nothing = await inserted({ scopes: [] });
    expect((await keys.findActive(nothing.hash))?.scopes).toEqual([]);
  });

  it('should open nothing once it has expired, and never expire later than it would', async () => {
    const [now, later] = [await inserted(), await inserted({ replaces: 'an older one' })];
    const db = fresh.database.of(DAO);
    await keys.expire(db, now.id, 0);
    expect(await keys.findActive(now.hash)).toBeUndefined();
    await keys.expire(db, now.id, 3_600);
    expect(await keys.findActive(now.hash)).toBeUndefined();
    await keys.expire(db, later.id, 3_600);
    expect(await keys.findActive(later.hash)).toMatchObject({ id: later.id });
    const shown = await keys.find(later.id, DAO);
    expect(Math.abs((shown?.expires_at?.getTime() ?? 0) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(shown).toMatchObject({ replaces: 'an older one', revoked_at: null });
    await keys.expire(db, later.id, 60);
    expect((await keys.find(later.id, DAO))?.expires_at?.getTime()).toBeLessThan(Date.now() + 120_000);
  });

  it('should be listed for its own DAO, or with all of them', async () => {
    const [mine, theirs] = [await inserted(), await inserted({ dao_id: 'other-dao' })];
    const ids = async (daoId: string | null): Promise<string[]> => (await keys.list(daoId, ALL)).map(({ id }) => id);
    expect(await ids(DAO)).toContain(mine.id);
    expect(await ids(DAO)).not.toContain(theirs.id);
    expect(await ids(null)).toEqual(expect.arrayContaining([mine.id, theirs.id]));
  });

  it('should open nothing with its former secret once it is put anew', async () => {
    const first = aKey({ dao_id: null });
    await keys.put(first);
    await keys.put({ ...first, hash: `new ${first.hash}` });
    expect(await keys.findActive(first.hash)).toBeUndefined();
    expect(await keys.findActive(`new ${first.hash}`)).toMatchObject({ id: first.id });
    await keys.revoke(fresh.database.all, first.id);
    await keys.put(first);
    expect(await keys.findActive(first.hash)).toMatchObject({ id: first.id });
  });

  it('should have a secret of its own', async () => {
    const key = await inserted();
    await expect(keys.insert(fresh.database.all, aKey({ hash: key.hash }))).rejects.toThrow(/unique|duplicate/i);
  });

  it('should belong to a DAO that is there', async () => {
    await expect(keys.insert(fresh.database.all, aKey({ dao_id: 'no-dao' }))).rejects.toThrow(/foreign key/i);
  });
});
