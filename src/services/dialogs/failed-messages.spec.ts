import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { ChatsRepository } from '../../adapters/store/chats.repository.js';
import type { ChatAddress } from '../../contracts/dialog.js';
import { AppError } from '../../errors/app-error.js';
import { DeliveryError, type DeliveryDetail, type DeliveryProblem } from '../../errors/delivery-error.js';
import type { DialogClock } from './dialogs.service.js';
import { FailedMessages } from './failed-messages.js';
import { Superseded } from './reply-writer.js';
import { MOST_ATTEMPTS } from './turn.js';

const ADDRESS: ChatAddress = { source: 'tg', chat: '12345', topic: '7' };
const LOST = { address: ADDRESS, chat: 'c1', fields: { update: 'u1', dao_id: 'greenfood' } };

describe('a message that could not be shown', () => {
  const move = jest.fn<ChatsRepository['move']>();
  const setPresence = jest.fn<ChatsRepository['setPresence']>();
  const pokeDialog = jest.fn<DialogClock['pokeDialog']>();
  const write = jest.fn<(line: string) => void>();
  const failed = new FailedMessages({
    chats: { move, setPresence },
    clock: { pokeDialog },
    log: pino({ base: null, timestamp: false }, { write }),
  });
  const isLost = (error: unknown, count = 1): Promise<boolean> => failed.isLost({ ...LOST, error, count });
  const problem = (name: DeliveryProblem, detail: DeliveryDetail = {}): DeliveryError =>
    new DeliveryError(name, 'no', detail);
  const logged = (): { level: number }[] => write.mock.calls.map(([line]) => JSON.parse(line) as { level: number });

  beforeEach(() => {
    jest.resetAllMocks();
  });

  it('should be shown where its chat has moved to', async () => {
    expect(await isLost(problem('moved', { movedTo: '-1009' }))).toBe(false);
    expect(move).toHaveBeenCalledWith(ADDRESS, '-1009');
    expect(pokeDialog).toHaveBeenCalledWith({ ...ADDRESS, chat: '-1009' });
    expect(logged()).toEqual([]);
  });

  it('should be given up with its chat, where that is closed', async () => {
    expect(await isLost(problem('closed'))).toBe(true);
    expect(setPresence).toHaveBeenCalledWith('c1', false);
  });

  it('should be given up without its chat in Discord, which never tells that one is open again', async () => {
    const address: ChatAddress = { source: 'dc', chat: '900', topic: '' };
    expect(await failed.isLost({ ...LOST, address, error: problem('closed'), count: 1 })).toBe(true);
    expect(setPresence).not.toHaveBeenCalled();
    expect(logged().map(({ level }) => level)).toEqual([40]);
  });

  it('should be given up where the platform will never take it, and leave its chat as it is', async () => {
    expect(await isLost(problem('refused'))).toBe(true);
    expect(setPresence).not.toHaveBeenCalled();
    const about = { update: 'u1', dao_id: 'greenfood', source: 'tg', attempt: 1 };
    expect(logged()).toEqual([expect.objectContaining({ ...about, level: 40 })]);
  });

  it.each([
    problem('limited', { retryAfterMs: 1_000 }),
    problem('unreachable', { maybeDone: true }),
    problem('missing'),
    problem('moved'),
    new AppError('STORE_UNAVAILABLE'),
    new Superseded(),
  ])('should be tried again, however often it failed: $name $problem $code', async (error) => {
    await expect(isLost(error, 100)).rejects.toBe(error);
    expect(logged()).toEqual([]);
  });

  it('should be tried some times where nobody knows why it failed, and told of each time', async () => {
    const error = new TypeError('x is not a function');
    await expect(isLost(error, MOST_ATTEMPTS - 1)).rejects.toBe(error);
    expect(logged().map(({ level }) => level)).toEqual([50]);
    expect(await isLost(error, MOST_ATTEMPTS)).toBe(true);
    expect(logged().map(({ level }) => level)).toEqual([50, 50, 40]);
    expect(setPresence).not.toHaveBeenCalled();
  });
});
