import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { KeysRepository, type NewKey } from '../../src/adapters/store/keys.repository.js';
import { aKey, createDao } from '../factories/access.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';

describe.each(DATABASES)('keys on %s', (_name, open) => {
  let fresh: Fresh;
  let keys: KeysRepository;

  beforeAll(async () => {
    fresh = await open();
    keys = new KeysRepository(fresh.database);
    const access = new AccessRepository(fresh.database);
    await createDao(fresh.database);
    await createDao(fresh.database, { id: 'other-dao', members: {} });
  });

  afterAll(() => fresh.drop());

  async function inserted(changes: Partial<NewKey> = {}): Promise<NewKey> {
    const key = aKey(changes);
    await keys.insert(key);
    return key;
  }

  it('should be found by its hash, with what it opens', async () => {
    const key = await inserted({ principal: 'tg:1', gateway: false });
    expect(await keys.findActive(key.hash)).toEqual({ id: key.id, daoId: DAO, principal: 'tg:1', gateway: false });
    const all = await inserted({ dao_id: null });
    expect(await keys.findActive(all.hash)).toMatchObject({ daoId: null, gateway: true });
    expect(await keys.findActive('no such hash')).toBeUndefined();
  });

  it('should be known to have been used, and no other with it', async () => {
    const [used, other] = [await inserted(), await inserted()];
    await keys.touch(used.id);
    const shown = await keys.list(DAO);
    const at = (id: string): Date | null | undefined => shown.find((key) => key.id === id)?.last_used_at;
    expect(Date.now() - (at(used.id)?.getTime() ?? 0)).toBeLessThan(10_000);
    expect(at(other.id)).toBeNull();
  });

  it('should never show its hash', async () => {
    const key = aKey();
    const shown = [await keys.insert(key), ...(await keys.list(DAO))];
    expect(shown.length).toBeGreaterThan(1);
    expect(JSON.stringify(shown)).not.toContain(key.hash);
    expect(shown[0]).toMatchObject({ id: key.id, name: 'a key', dao_id: DAO, last_used_at: null, revoked_at: null });
  });

  it('should open nothing once it is revoked, and be revoked once', async () => {
    const key = await inserted();
    expect((await keys.revoke(key.id, DAO))?.revoked_at).toBeInstanceOf(Date);
    expect(await keys.findActive(key.hash)).toBeUndefined();
    expect(await keys.revoke(key.id, DAO)).toBeUndefined();
    expect((await keys.list(DAO)).find(({ id }) => id === key.id)?.revoked_at).toBeInstanceOf(Date);
  });

  it('should be revoked by its own DAO, or by whoever rules over all', async () => {
    const [theirs, everywhere] = [await inserted({ dao_id: 'other-dao' }), await inserted({ dao_id: null })];
    expect(await keys.revoke(theirs.id, DAO)).toBeUndefined();
    expect(await keys.revoke(everywhere.id, DAO)).toBeUndefined();
    expect(await keys.findActive(theirs.hash)).toBeDefined();
    expect(await keys.findActive(everywhere.hash)).toBeDefined();
    expect(await keys.revoke(theirs.id, null)).toMatchObject({ dao_id: 'other-dao' });
    expect(await keys.revoke(everywhere.id, null)).toMatchObject({ dao_id: null });
  });

  it('should be listed for its own DAO, or with all of them', async () => {
    const [mine, theirs] = [await inserted(), await inserted({ dao_id: 'other-dao' })];
    const ids = async (daoId: string | null): Promise<string[]> => (await keys.list(daoId)).map(({ id }) => id);
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
    await keys.revoke(first.id, null);
    await keys.put(first);
    expect(await keys.findActive(first.hash)).toMatchObject({ id: first.id });
  });

  it('should have a secret of its own', async () => {
    const key = await inserted();
    await expect(keys.insert(aKey({ hash: key.hash }))).rejects.toThrow(/unique|duplicate/i);
  });

  it('should belong to a DAO that is there', async () => {
    await expect(keys.insert(aKey({ dao_id: 'no-dao' }))).rejects.toThrow(/foreign key/i);
  });
});
