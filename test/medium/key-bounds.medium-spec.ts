import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';
import {
  addMember,
  linkIdentity,
  memberByUser,
  removeMember,
  updateMember,
} from '../../src/adapters/store/members.repository.js';
import { putRole } from '../../src/adapters/store/roles.repository.js';
import type { CallerKey, Entitlement } from '../../src/contracts/access.js';
import { ADMIN_PRINCIPAL } from '../../src/contracts/ids.js';
import type { AppError } from '../../src/errors/app-error.js';
import { AccessService } from '../../src/services/access.service.js';
import { KeysService, type NewKeyInfo } from '../../src/services/keys.service.js';
import { ResolutionService } from '../../src/services/resolution.service.js';
import { aKey, createDao } from '../factories/access.js';
import { DATABASES, type Fresh } from './databases.js';

const SECRET = 'the administrator of these tests';

describe.each(DATABASES)('what a key can give on %s', (_name, open) => {
  let fresh: Fresh;
  let access: AccessService;
  let keys: KeysService;
  let platform: CallerKey;
  /** A DAO for each test; tg:1 is its admin, and tg:2 another one. */
  let dao: string;
  let admin: CallerKey;

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    const facts = new AccessRepository(database);
    const audit = new AuditRepository(database);
    access = new AccessService(facts, audit, () => undefined);
    keys = new KeysService(new KeysRepository(database), access, audit);
    await facts.grantPlatform(ADMIN_PRINCIPAL);
    await keys.putAdminKey(SECRET);
    platform = await caller({ key: SECRET });
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    dao = `dao-${randomUUID()}`;
    const members = { 'tg:1': ['admin'], 'tg:2': ['admin'], 'tg:5': ['member'], 'tg:7': ['keeper', 'member'] };
    await createDao(fresh.database, { id: dao, members });
    await putRole(fresh.database.of(dao), dao, 'keeper', ['chat.read', 'key.manage']);
    admin = await caller(await ofPlatform('tg:1'));
  });

  const caller = async ({ key }: { key: string }): Promise<CallerKey> => (await keys.authenticate(key))!;

  /** The key of a call that has waited since it was let in, for its body for example. */
  const waited = ({ dao: seen, ...key }: CallerKey): CallerKey => ({
    ...key,
    ...(seen && { dao: { ...seen, at: 0 } }),
  });

  const create = (
    by: CallerKey,
    principal?: string,
    scopes?: readonly Entitlement[],
    daoId?: string,
  ): Promise<NewKeyInfo> => keys.create(by, { name: 'a key', daoId, principal, scopes });

  const ofPlatform = (principal?: string): Promise<NewKeyInfo> => create(platform, principal, undefined, dao);

  const rotate = (by: CallerKey, id: string, overlapSeconds = 60): Promise<NewKeyInfo> =>
    keys.rotate(by, id, { overlapSeconds });

  /** What a key opens at this moment, as its own principal or for a user. */
  const opens = async (key: { key: string }, userId?: string): Promise<string[]> =>
    (await access.resolve(await caller(key), { daoId: dao, userId })).rights.entitlements;

  const memberOf = async (userId: string): Promise<string> =>
    (await memberByUser(fresh.database.of(dao), dao, userId))!.id;

  const become = async (userId: string, ...roles: string[]): Promise<void> =>
    updateMember(fresh.database.of(dao), dao, await memberOf(userId), { roles });

  const leave = async (userId: string): Promise<void> =>
    removeMember(fresh.database.of(dao), dao, await memberOf(userId));

  const failure = (attempt: Promise<unknown>): Promise<AppError> =>
    attempt.then(
      () => {
        throw new Error('it went through');
      },
      (error: unknown) => error as AppError,
    );

  const DENIED = { code: 'RBAC_PERMISSION_DENIED' };
  const OVERSTEPPED = { code: 'ACTING_NOT_ALLOWED' };

  const lastRecorded = async (): Promise<{ action: string; detail: object }> => {
    const rows = fresh.database
      .of(dao)
      .selectFrom('audit')
      .where('chain', '=', dao)
      .orderBy('seq', 'desc')
      .select('entry');
    return JSON.parse((await rows.executeTakeFirstOrThrow()).entry) as never;
  };

  describe('by its owner', () => {
    it('should be what the principal and whoever made it both may, at every moment', async () => {
      const keeper = await caller(await ofPlatform('tg:7'));
      const made = await create(keeper, 'tg:5');
      expect(made.owner).toBe(await memberOf('tg:7'));
      expect(await opens(made)).toEqual(await opens(await ofPlatform('tg:5')));
      await become('tg:7', 'keeper', 'contributor');
      await become('tg:5', 'contributor');
      expect(await opens(made)).toEqual(await opens(await ofPlatform('tg:5')));
      const used = await caller(made);
      await leave('tg:7');
      expect(await keys.authenticate(made.key)).toBeUndefined();
      // Nor does a call go through that was let in before.
      expect(await failure(access.resolve(waited(used), { daoId: dao }))).toMatchObject(OVERSTEPPED);
    });

    it('should be nothing for whom it speaks once they may more than whoever made it', async () => {
      const keeper = await caller(await ofPlatform('tg:7'));
      const early = [await create(keeper, 'tg:5'), await create(keeper, 'tg:later', ['chat.read'])];
      expect(await opens(early[1]!)).toEqual(['chat.read']);
      await become('tg:5', 'admin');
      await addMember(fresh.database.of(dao), dao, { userId: 'tg:later', roles: ['contributor'] });
      for (const key of early) {
        expect(await failure(opens(key))).toMatchObject(OVERSTEPPED);
        expect(await lastRecorded()).toMatchObject({ action: 'access.denied', detail: { code: OVERSTEPPED.code } });
      }
      await become('tg:5', 'member');
      expect(await opens(early[0]!)).toContain('chat.write');
      await become('tg:7', 'keeper');
      expect(await failure(opens(early[0]!))).toMatchObject(OVERSTEPPED);
      // Their own speak for themselves, and the platform's for everybody.
      expect(await opens(await create(keeper, 'tg:7'))).toEqual(['chat.read', 'key.manage']);
      expect(await opens(await ofPlatform('tg:5'))).toContain('chat.write');
    });

    it('should not come back with whoever is taken in again, nor go with a second id', async () => {
      const made = await create(admin, 'tg:5');
      await linkIdentity(fresh.database.of(dao), dao, await memberOf('tg:1'), 'dc:1');
      await become('tg:5', 'contributor');
      expect(await opens(made)).toContain('agent.devtools');
      await leave('tg:1');
      await addMember(fresh.database.of(dao), dao, { userId: 'tg:1', roles: ['admin'] });
      expect(await keys.authenticate(made.key)).toBeUndefined();
    });

    it('should bound the users that a gateway key names', async () => {
      const gateway = await create(admin);
      expect(await opens(gateway, 'tg:5')).toContain('chat.write');
      expect(await opens(gateway, 'tg:2')).toContain('config.update');
      await become('tg:1', 'contributor');
      expect(await failure(opens(gateway, 'tg:2'))).toMatchObject(OVERSTEPPED);
      expect(await opens(gateway, 'tg:a-guest')).toEqual(['chat.read']);
      const used = await caller(gateway);
      await leave('tg:1');
      expect(await keys.authenticate(gateway.key)).toBeUndefined();
      const asked = new ResolutionService(access).resolve(waited(used), { userId: 'tg:2' });
      expect(await failure(asked)).toMatchObject(OVERSTEPPED);
    });

    it('should not be the platform because a DAO’s admin says so', async () => {
      const made = await create(admin, 'tg:1');
      expect(made).toMatchObject({ dao_id: dao, owner: await memberOf('tg:1') });
      await expect(create(admin, 'tg:1', undefined, 'another')).rejects.toMatchObject({ code: 'DAO_FORBIDDEN' });
      expect(await failure(create(admin, 'tg:1', ['platform.admin']))).toMatchObject(DENIED);
      expect(await failure(create(admin, ADMIN_PRINCIPAL))).toMatchObject({ code: 'BODY_INVALID' });
    });
  });

  describe('by whom it speaks for', () => {
    it('should be no more than its maker has when it is made', async () => {
      const keeper = await caller(await ofPlatform('tg:7'));
      expect(await failure(create(keeper, 'tg:1'))).toMatchObject(DENIED);
      // Narrowed too: as somebody else one sees what is theirs.
      expect(await failure(create(keeper, 'tg:1', ['chat.read']))).toMatchObject(DENIED);
      expect(await failure(create(keeper))).toMatchObject(DENIED);
      expect(await lastRecorded()).toMatchObject({ action: 'access.denied' });
      expect((await create(keeper, 'tg:7')).gateway).toBe(false);
    });

    it('should be on the record by the member’s own id', async () => {
      await create(admin, 'tg:5', ['chat.read']);
      const { action, detail } = await lastRecorded();
      expect(action).toBe('key.create');
      expect(detail).toEqual({
        gateway: false,
        owner: await memberOf('tg:1'),
        scopes: ['chat.read'],
        member: await memberOf('tg:5'),
      });
      expect(JSON.stringify(detail)).not.toContain('tg:');
    });
  });

  describe('by its scopes', () => {
    it('should be cut to them, whatever the principal may', async () => {
      const narrow = await create(admin, 'tg:1', ['chat.write', 'chat.read', 'chat.read']);
      expect(narrow.scopes).toEqual(['chat.write', 'chat.read']);
      expect(await opens(narrow)).toEqual(['chat.read', 'chat.write']);
      const ofAll = await create(platform, 'tg:1', ['chat.read']);
      expect(await opens(ofAll)).toEqual(['chat.read']);
    });

    it('should be handed on to what is made with it', async () => {
      const maker = await caller(await create(admin, 'tg:1', ['key.manage', 'chat.read', 'chat.write']));
      const made = await create(maker, 'tg:a-guest');
      expect(made.scopes).toEqual(['key.manage', 'chat.read', 'chat.write']);
      await addMember(fresh.database.of(dao), dao, { userId: 'tg:a-guest', roles: ['admin'] });
      expect(await opens(made)).toEqual(['chat.read', 'chat.write', 'key.manage']);
      expect(await failure(create(maker, 'tg:b-guest', ['chat.read', 'config.update']))).toMatchObject({
        ...DENIED,
        detail: { required_entitlement: 'config.update' },
      });
    });

    it('should hold for the platform’s own keys', async () => {
      const made = await create(platform, undefined, ['chat.read', 'key.manage']);
      expect(made).toMatchObject({ dao_id: null, owner: 'platform' });
      expect(await opens(made, 'tg:1')).toEqual(['chat.read', 'key.manage']);
      const narrowed: CallerKey = { ...platform, scopes: ['platform.admin', 'chat.read'] };
      expect(await failure(create(narrowed, undefined, ['chat.write']))).toMatchObject(DENIED);
      expect((await create(narrowed)).scopes).toEqual(['platform.admin', 'chat.read']);
      const plain = await ofPlatform();
      expect(await failure(rotate(narrowed, plain.id))).toMatchObject(DENIED);
      expect(
        await failure(keys.list({ ...platform, scopes: ['chat.read'] }, {}, { after: '', limit: 9 })),
      ).toMatchObject(DENIED);
    });
  });

  describe('through another key', () => {
    it('should not outlive whoever answers for that one', async () => {
      // tg:2 speaks for tg:1: after tg:2 is gone, nothing of theirs may work on as tg:1.
      const second = await caller(await ofPlatform('tg:2'));
      const bound = await caller(await create(second, 'tg:1'));
      expect(await failure(create(bound, 'tg:1'))).toMatchObject(DENIED);
      expect(await failure(rotate(bound, bound.id))).toMatchObject(DENIED);
      expect(await failure(create(bound))).toMatchObject(DENIED);
      expect((await create(second, 'tg:2')).owner).toBe(await memberOf('tg:2'));
    });

    it('should not be made once that one was replaced', async () => {
      const old = await create(admin, 'tg:1');
      const by = await caller(old);
      const { key } = await rotate(by, old.id);
      expect(await opens(old)).toContain('config.update');
      expect(await failure(create(by, 'tg:1'))).toMatchObject(DENIED);
      expect(await failure(rotate(by, old.id))).toMatchObject(DENIED);
      expect((await create(await caller({ key }), 'tg:1')).principal).toBe('tg:1');
    });

    it('should not be made by somebody whom a gateway key only names', async () => {
      const gateway = await caller(await ofPlatform());
      expect(await failure(create(gateway, 'tg:5'))).toMatchObject(DENIED);
      expect(await failure(rotate(gateway, (await ofPlatform('tg:5')).id))).toMatchObject(DENIED);
    });
  });

  describe('after it was rotated', () => {
    it('should be the same, for both secrets, until the overlap ends', async () => {
      const old = await create(admin, 'tg:5', ['chat.read']);
      const successor = await rotate(admin, old.id, 3_600);
      expect(successor).toMatchObject({
        ...{ name: 'a key', principal: 'tg:5', scopes: ['chat.read'], owner: old.owner, replaces: old.id },
        expires_at: null,
      });
      expect(successor.key).not.toBe(old.key);
      expect([await opens(old), await opens(successor)]).toEqual([['chat.read'], ['chat.read']]);
      const { items } = await keys.list(admin, {}, { after: '', limit: 100 });
      const left = (items.find(({ id }) => id === old.id)?.expires_at?.getTime() ?? 0) - Date.now();
      expect(Math.abs(left - 3_600_000)).toBeLessThan(60_000);
      expect(await lastRecorded()).toMatchObject({ action: 'key.rotate', detail: { replaces: old.id } });
    });

    it('should have one successor, however often it is asked for', async () => {
      const old = await create(admin, 'tg:5');
      const many = await Promise.allSettled(Array.from({ length: 4 }, () => rotate(admin, old.id, 0)));
      const made = many.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
      expect(made).toHaveLength(1);
      const successor = made[0]?.id ?? '';
      // Whoever lost the answer hears of what came of it, revokes that, and makes another.
      expect(await failure(rotate(admin, old.id))).toMatchObject({ code: 'KEY_REPLACED', detail: { successor } });
      await keys.revoke(admin, successor, {});
      expect(await failure(rotate(admin, old.id))).toMatchObject({ code: 'KEY_NOT_FOUND' });
      const other = await create(admin, 'tg:5');
      await keys.revoke(admin, (await rotate(admin, other.id)).id, {});
      expect(await rotate(admin, other.id)).toMatchObject({ replaces: other.id });
    });

    it('should not be given a second successor by the database either', async () => {
      const repository = new KeysRepository(fresh.database);
      const replaces = (dao_id: string | null) =>
        repository.insert(fresh.database.all, aKey({ dao_id, replaces: 'an older one' }));
      for (const where of [dao, null]) {
        await replaces(where);
        await expect(replaces(where)).rejects.toThrow(/unique|duplicate/i);
      }
    });

    it('should be bound by the caller where it was somebody else’s, and never be wider than theirs', async () => {
      const keeper = await caller(await ofPlatform('tg:7'));
      const theirs = await create(admin, 'tg:a-guest');
      const taken = await rotate(keeper, theirs.id);
      expect(taken.owner).toBe(await memberOf('tg:7'));
      await addMember(fresh.database.of(dao), dao, { userId: 'tg:a-guest', roles: ['admin'] });
      expect(await failure(opens(taken))).toMatchObject(OVERSTEPPED);
      expect(await failure(rotate(keeper, taken.id))).toMatchObject(DENIED);
      const narrow = await caller(await create(keeper, 'tg:7', ['chat.read', 'key.manage']));
      const open = await create(keeper, 'tg:b-guest');
      expect(await failure(rotate(narrow, open.id))).toMatchObject(DENIED);
    });

    it('should be replaced by whom it speaks for, or by the platform, where the platform made it', async () => {
      for (const made of [await ofPlatform('tg:5'), await ofPlatform()]) {
        expect(await failure(rotate(admin, made.id))).toMatchObject(DENIED);
        expect((await rotate(platform, made.id)).owner).toBe('platform');
      }
      await linkIdentity(fresh.database.of(dao), dao, await memberOf('tg:1'), 'dc:1');
      const mine = await rotate(admin, (await ofPlatform('dc:1')).id);
      expect(mine).toMatchObject({ principal: 'dc:1', owner: await memberOf('tg:1') });
    });

    it('should stay the owner’s when the platform does it', async () => {
      const old = await create(admin, 'tg:5');
      const successor = await rotate(platform, old.id);
      expect(successor.owner).toBe(await memberOf('tg:1'));
      const third = await keys.rotate(platform, successor.id, { overlapSeconds: 0, daoId: dao });
      expect(third.owner).toBe(old.owner);
      await leave('tg:1');
      expect(await keys.authenticate(third.key)).toBeUndefined();
      // A successor of what opens nothing opens nothing.
      expect(await keys.authenticate((await rotate(platform, third.id)).key)).toBeUndefined();
    });

    it('should be refused to an owner who lost the right, and be of use to the rest of the rights', async () => {
      const old = await create(admin, 'tg:1');
      const by = await caller(old);
      await become('tg:1', 'member');
      expect(await failure(rotate(by, old.id))).toMatchObject(DENIED);
      const second = await caller(await ofPlatform('tg:2'));
      const successor = await rotate(second, old.id);
      expect(successor).toMatchObject({ principal: 'tg:1', owner: await memberOf('tg:2') });
      expect(await opens(successor)).toEqual(await opens(old));
    });

    it('should be of no other DAO, nor the admin’s own', async () => {
      const other = `other-${randomUUID()}`;
      await createDao(fresh.database, { id: other });
      const theirs = await create(platform, 'tg:5', undefined, other);
      const everywhere = await create(platform);
      for (const { id } of [theirs, everywhere]) {
        expect(await failure(rotate(admin, id))).toMatchObject({ code: 'KEY_NOT_FOUND' });
        expect(await failure(keys.rotate(admin, id, { overlapSeconds: 0, daoId: other }))).toMatchObject({
          code: 'DAO_FORBIDDEN',
        });
      }
      expect(await failure(rotate(platform, 'admin'))).toMatchObject({ code: 'BODY_INVALID' });
      expect(await failure(rotate(admin, randomUUID()))).toMatchObject({ code: 'KEY_NOT_FOUND' });
    });

    it('should not come of a key that is revoked at the same moment', async () => {
      const old = await create(admin, 'tg:5');
      await Promise.allSettled([keys.revoke(admin, old.id, {}), rotate(admin, old.id)]);
      expect(await keys.authenticate(old.key)).toBeUndefined();
      expect(await failure(rotate(admin, old.id))).toMatchObject({ code: 'KEY_NOT_FOUND' });
    });
  });

  describe('when it is revoked', () => {
    it('should be no more than whoever does it has, or their own', async () => {
      const keeper = await caller(await ofPlatform('tg:7'));
      const strong = [await create(admin, 'tg:1'), await create(admin), await ofPlatform('tg:2')];
      for (const { id, key } of strong) {
        expect(await failure(keys.revoke(keeper, id, {}))).toMatchObject(DENIED);
        expect(await keys.authenticate(key)).toBeDefined();
      }
      const weak = await create(admin, 'tg:5');
      await keys.revoke(keeper, weak.id, {});
      expect(await keys.authenticate(weak.key)).toBeUndefined();
      const narrow = await caller(await create(keeper, 'tg:7', ['key.manage']));
      const own = await ofPlatform('tg:7');
      await keys.revoke(narrow, own.id, {});
      expect(await keys.authenticate(own.key)).toBeUndefined();
      for (const { id } of strong) await keys.revoke(admin, id, {});
    });
  });

  it('should be listed part by part, with owner, scopes and last use, and never a secret', async () => {
    const made: NewKeyInfo[] = [];
    for (let n = 0; n < 4; n += 1) made.push(await create(admin, 'tg:5', ['chat.read']));
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null;) {
      const { items, next }: Awaited<ReturnType<typeof keys.list>> = await keys.list(admin, {}, { after, limit: 2 });
      expect(items.length).toBeLessThanOrEqual(2);
      expect(items.every((one) => !('key' in one) && !('hash' in one))).toBe(true);
      seen.push(...items.map(({ id }) => id));
      after = next;
    }
    expect(seen).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    expect(new Set(seen).size).toBe(seen.length);
  });
});
