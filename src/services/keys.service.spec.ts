import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { KeysRepository } from '../adapters/store/keys.repository.js';
import type { AccessService } from './access.service.js';
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
