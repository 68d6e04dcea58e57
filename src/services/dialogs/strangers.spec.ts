import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anUpdate, DAO } from '../../../test/factories/conversation.js';
import { sha256 } from '../../adapters/digest.js';
import type { RequestCounter, Taken } from '../../adapters/limits/request-counter.js';
import type { StrangersRepository } from '../../adapters/store/strangers.repository.js';
import type { OpenUpdate } from '../../contracts/dialog.js';
import { Strangers } from './strangers.js';

const SECRET = `inv_${DAO}_${'x'.repeat(43)}`;

describe(Strangers, () => {
  const take = jest.fn<RequestCounter['take']>();
  const invitedTo = jest.fn<StrangersRepository['invitedTo']>();
  const adopt = jest.fn<StrangersRepository['adopt']>();
  const mayTell = jest.fn<StrangersRepository['mayTell']>();
  const strangers = new Strangers({ strangers: { invitedTo, adopt, mayTell }, counter: { take } });
  const taken = (allowed: boolean): Taken => ({ allowed, remaining: 0, resetMs: 0, undo: () => Promise.resolve() });
  const stranger = (text: string, changes: Partial<OpenUpdate> = {}): OpenUpdate =>
    anUpdate({ daoId: null, body: { kind: 'message', text }, ...changes });

  beforeEach(() => {
    jest.resetAllMocks();
    take.mockResolvedValue(taken(true));
    mayTell.mockResolvedValue(true);
    invitedTo.mockResolvedValue(DAO);
  });

  it('should be told in private by which id they are known, in their language', async () => {
    expect((await strangers.told(stranger('/start'), true))?.text).toContain('Your id is tg:12345');
    expect((await strangers.told(stranger('привіт'), true))?.text).toContain('Ваш ідентифікатор — tg:12345');
    expect(mayTell).not.toHaveBeenCalled();
  });

  it('should be told in a group what is missing, where it was not told lately', async () => {
    const asked = stranger('/help', { kind: 'group' });
    expect((await strangers.told(asked, true))?.text).toContain('/link');
    mayTell.mockResolvedValue(false);
    expect(await strangers.told(asked, true)).toBeUndefined();
  });

  it.each([
    ['one person', 'stranger:tg:12345', 3],
    ['all of them', 'strangers', 60],
  ])('should be told so often in a minute: %s', async (_who, name, most) => {
    take.mockImplementation((counted) => Promise.resolve(taken(counted !== name)));
    expect(await strangers.told(stranger('hello'), true)).toBeUndefined();
    expect(await strangers.told(stranger('hello', { kind: 'group' }), true)).toBeUndefined();
    expect(take).toHaveBeenCalledWith(name, most);
    expect(mayTell).not.toHaveBeenCalled();
  });

  it('should be counted once, however often it is tried to tell them', async () => {
    expect(await strangers.told(stranger('hello'), false)).toBeDefined();
    expect(take).not.toHaveBeenCalled();
  });

  it('should be of the DAO that has invited them', async () => {
    expect(await strangers.invitedTo(stranger(`/start ${SECRET}`))).toBe(DAO);
    expect(invitedTo).toHaveBeenCalledWith(sha256(SECRET));
    expect(adopt).toHaveBeenCalledWith('u1', DAO);
  });

  it.each([
    ['in a group', stranger(`/start ${SECRET}`, { kind: 'group' })],
    ['by another command', stranger(`/dao ${SECRET}`)],
    ['with what is no secret', stranger('/start hello')],
  ])('should be of none %s', async (_how, update) => {
    expect(await strangers.invitedTo(update)).toBeNull();
    expect(invitedTo).not.toHaveBeenCalled();
  });

  it('should be of none by an invitation that nobody made', async () => {
    invitedTo.mockResolvedValue(undefined);
    expect(await strangers.invitedTo(stranger(`/start ${SECRET}`))).toBeNull();
    expect(adopt).not.toHaveBeenCalled();
  });
});
