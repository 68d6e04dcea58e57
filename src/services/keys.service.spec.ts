import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import { anAccess } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { KeysRepository, NewKey } from '../adapters/store/keys.repository.js';
import type { CallerKey, Entitlement, KeyInfo } from '../contracts/access.js';
import { resolveRights } from '../domain/access.js';
import type { AccessService, Acting } from './access.service.js';
import { KeysService } from './keys.service.js';

const everywhere = aCaller();

describe('KeysService', () => {
  const findActive = jest.fn<KeysRepository['findActive']>();
  const touch = jest.fn<KeysRepository['touch']>();
  const require = jest.fn<AccessService['require']>();
  const requirePlatform = jest.fn<AccessService['requirePlatform']>();
  let keys: KeysService;

  beforeEach(() => {
    jest.useFakeTimers();
    findActive.mockReset().mockImplementation((hash) => Promise.resolve({ ...everywhere, id: hash }));
    touch.mockReset().mockResolvedValue();
    require.mockReset().mockResolvedValue({ actor: 'tg:1', daoId: 'd' } as never);
    requirePlatform.mockReset().mockResolvedValue({ actor: 'api:admin' });
    const repository = { findActive, touch, list: () => Promise.resolve([]) } as unknown as KeysRepository;
    const access = { require, requirePlatform } as unknown as AccessService;
    keys = new KeysService(repository, access, {} as AuditRepository);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('notes the use of each key at most once a minute', async () => {
    for (const secret of ['a', 'a', 'b']) await keys.authenticate(secret);
    expect(touch).toHaveBeenCalledTimes(2);
    jest.advanceTimersByTime(59_999);
    await keys.authenticate('a');
    expect(touch).toHaveBeenCalledTimes(2);
    jest.advanceTimersByTime(1);
    await keys.authenticate('a');
    expect(touch).toHaveBeenCalledTimes(3);
  });

  it('notes nothing of a secret that opens nothing', async () => {
    findActive.mockResolvedValue(undefined);
    expect(await keys.authenticate('wrong')).toBeUndefined();
    expect(touch).not.toHaveBeenCalled();
  });

  it('neither waits for the note nor fails for it', async () => {
    touch.mockReturnValueOnce(new Promise(() => undefined));
    expect(await keys.authenticate('a')).toBeDefined();
    touch.mockRejectedValueOnce(new Error('away'));
    expect(await keys.authenticate('b')).toBeDefined();
  });

  it('gives a gateway key the rights of the user that it names, and no others', async () => {
    await keys.list(everywhere, { userId: 'tg:1' }, { after: '', limit: 9 });
    await keys.list(everywhere, { userId: 'tg:1', daoId: 'd' }, { after: '', limit: 9 });
    expect(requirePlatform.mock.calls).toEqual([[everywhere, 'tg:1']]);
    expect(require.mock.calls).toEqual([[everywhere, { userId: 'tg:1', daoId: 'd' }, 'key.manage']]);
  });
});

describe('KeysService: what hands out a secret', () => {
  const owner = aCaller({ daoId: 'd', principal: 'tg:1', gateway: false, owner: 'p_1' });
  const facts = anAccess(['admin'], { member: 'p_1' });
  const acting: Acting = { actor: 'tg:1', daoId: 'd', key: owner, facts, rights: resolveRights(facts) };
  const isReplaced = jest.fn<KeysRepository['isReplaced']>();
  const find = jest.fn<KeysRepository['find']>();
  const successorOf = jest.fn<KeysRepository['successorOf']>();
  const count = jest.fn<KeysRepository['count']>();
  const requireNoMore = jest.fn<AccessService['requireNoMore']>();
  const acts = jest.fn<AccessService['require']>();
  const denied = jest.fn<AccessService['denied']>();
  const factsOf = jest.fn<AccessService['factsOf']>();
  const revoke = jest.fn<KeysRepository['revoke']>();
  const added = jest.fn<(key: NewKey) => void>();
  let keys: KeysService;

  beforeEach(() => {
    isReplaced.mockReset().mockResolvedValue(false);
    find.mockReset().mockResolvedValue(aKeyInfo());
    successorOf.mockReset().mockResolvedValue(undefined);
    count.mockReset().mockResolvedValue(999);
    requireNoMore.mockReset().mockResolvedValue();
    denied.mockReset().mockResolvedValue();
    factsOf.mockReset().mockResolvedValue(facts);
    revoke.mockReset().mockResolvedValue(true);
    added.mockReset();
    acts.mockReset().mockResolvedValue(acting);
    const repository = strict<KeysRepository>('keys', {
      ...{ isReplaced, find, successorOf, count, revoke, expire: () => Promise.resolve(true) },
      insert: (_db, key) => {
        added(key);
        return Promise.resolve({} as never);
      },
    });
    const access = strict<AccessService>('access', {
      ...{ requireNoMore, denied, factsOf },
      require: acts,
      requirePlatform: () => Promise.resolve({ actor: 'api:admin' }),
    });
    const audit = strict<AuditRepository>('audit', {
      recorded: (_dao, change) => change({} as never, () => Promise.resolve('x_0')),
      append: () => Promise.resolve('x_0'),
    });
    keys = new KeysService(repository, access, audit);
  });

  const aKeyInfo = (changes: Partial<KeyInfo> = {}): KeyInfo => ({
    ...{ id: 'k9', name: 'a bot', dao_id: 'd', principal: 'api:k9', gateway: true, owner: 'p_2', scopes: null },
    ...{ expires_at: null, replaces: null, issuer: null, created_at: new Date(), last_used_at: null, revoked_at: null },
    ...changes,
  });
  const create = (by: CallerKey, scopes?: Entitlement[]) =>
    keys.create(by, { name: 'a key', daoId: by.daoId ?? undefined, principal: undefined, scopes });
  const rotate = (by: CallerKey) => keys.rotate(by, 'k9', { overlapSeconds: 60 });
  const made = (): Partial<NewKey> => added.mock.calls[0]?.[0] ?? {};
  const code = 'RBAC_PERMISSION_DENIED';

  it.each<[string, CallerKey]>([
    ['another member answers for the key that asks', { ...owner, owner: 'p_2' }],
    ['somebody who is gone does', { ...owner, owner: 'p_gone' }],
  ])('does not where %s', async (_why, by) => {
    await expect(create(by)).rejects.toMatchObject({ code });
    await expect(rotate(by)).rejects.toMatchObject({ code });
    expect(denied).toHaveBeenCalledTimes(2);
    expect(added).not.toHaveBeenCalled();
  });

  it('does not where the key that asks was replaced', async () => {
    isReplaced.mockResolvedValue(true);
    await expect(create(owner)).rejects.toMatchObject({ code });
    await expect(rotate(owner)).rejects.toMatchObject({ code });
    expect(added).not.toHaveBeenCalled();
  });

  it('makes the caller answer for it, be it new or the successor of somebody else’s', async () => {
    await create(owner);
    expect(made()).toMatchObject({ owner: 'p_1', scopes: null, gateway: true, dao_id: 'd' });
    added.mockReset();
    await rotate(owner);
    expect(made()).toMatchObject({ owner: 'p_1', replaces: 'k9', principal: 'api:k9' });
    expect(requireNoMore.mock.calls).toEqual([
      [acting, undefined],
      [acting, undefined],
    ]);
  });

  it('leaves what the platform made to whom it speaks for, and to the platform', async () => {
    find.mockResolvedValue(aKeyInfo({ owner: 'platform' }));
    await expect(rotate(owner)).rejects.toMatchObject({ code });
    find.mockResolvedValue(aKeyInfo({ owner: 'platform', gateway: false, principal: 'tg:2' }));
    factsOf.mockResolvedValue(anAccess(['member'], { member: 'p_2' }));
    await expect(rotate(owner)).rejects.toMatchObject({ code });
    expect(added).not.toHaveBeenCalled();
    find.mockResolvedValue(aKeyInfo({ owner: 'platform' }));
    await rotate(aCaller({ id: 'admin', principal: 'api:admin' }));
    expect(made()).toMatchObject({ owner: 'platform', replaces: 'k9' });
  });

  it('asks of who revokes to have what the key opens, unless it is their own', async () => {
    const revokeAs = (by: CallerKey) => keys.revoke(by, 'k9', {});
    await revokeAs(owner);
    find.mockResolvedValue(aKeyInfo({ gateway: false, principal: 'tg:2' }));
    factsOf.mockResolvedValue(anAccess(['member'], { member: 'p_2' }));
    await revokeAs(owner);
    expect(requireNoMore.mock.calls).toEqual([
      [acting, undefined],
      [acting, 'tg:2'],
    ]);
    requireNoMore.mockReset().mockRejectedValue(Object.assign(new Error(code), { code }));
    revoke.mockClear();
    await expect(revokeAs(owner)).rejects.toMatchObject({ code });
    // A key that another member answers for is not they.
    find.mockResolvedValue(aKeyInfo({ owner: 'p_1' }));
    await expect(revokeAs({ ...owner, owner: 'p_2' })).rejects.toMatchObject({ code });
    expect(revoke).not.toHaveBeenCalled();
    await revokeAs(owner);
    await revokeAs(aCaller({ id: 'admin', principal: 'api:admin' }));
    expect(revoke).toHaveBeenCalledTimes(2);
  });

  it('leaves the owner as it is where the platform rotates', async () => {
    await rotate(aCaller({ id: 'admin', principal: 'api:admin' }));
    expect(made()).toMatchObject({ owner: 'p_2', replaces: 'k9' });
  });

  it('narrows what is made to the key that makes it', async () => {
    const narrow: CallerKey = { ...owner, scopes: ['key.manage', 'chat.read'] };
    await create(narrow);
    expect(made().scopes).toEqual(['key.manage', 'chat.read']);
    await expect(rotate(narrow)).rejects.toMatchObject({ code });
    find.mockResolvedValue(aKeyInfo({ scopes: ['chat.read'] }));
    added.mockReset();
    await rotate(narrow);
    expect(made().scopes).toEqual(['chat.read']);
    await expect(create(owner, ['chat.read', 'platform.admin'])).rejects.toMatchObject({ code });
  });

  it('does not make a second successor, and tells of the first', async () => {
    successorOf.mockResolvedValue('k10');
    await expect(rotate(owner)).rejects.toMatchObject({ code: 'KEY_REPLACED', detail: { successor: 'k10' } });
    expect(added).not.toHaveBeenCalled();
  });

  it('does not make more for a DAO than there may be, and as many for all as the platform likes', async () => {
    count.mockResolvedValue(1_000);
    await expect(create(owner)).rejects.toMatchObject({ code: 'BODY_INVALID' });
    expect(added).not.toHaveBeenCalled();
    await create(aCaller());
    expect(added).toHaveBeenCalledTimes(1);
  });

  it('does not where nobody would answer for it, on the record', async () => {
    const guest = { ...acting, facts: anAccess(['admin']) };
    acts.mockResolvedValue(guest);
    await expect(create(aCaller({ daoId: 'd' }))).rejects.toMatchObject({ code });
    expect(denied).toHaveBeenCalledWith(guest, { required_entitlement: 'key.manage', roles: ['admin'] });
  });

  it('gives nothing for what is revoked or not there, nor for the admin key', async () => {
    find.mockResolvedValueOnce(undefined).mockResolvedValueOnce(aKeyInfo({ revoked_at: new Date() }));
    await expect(rotate(owner)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    await expect(rotate(owner)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    const admin = keys.rotate(owner, 'admin', { overlapSeconds: 0 });
    await expect(admin).rejects.toMatchObject({ code: 'BODY_INVALID' });
    expect(added).not.toHaveBeenCalled();
  });
});
