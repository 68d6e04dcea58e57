import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { anUpdate } from '../../../test/factories/conversation.js';
import { strict } from '../../../test/factories/strict.js';
import type { ChatsRepository } from '../../adapters/store/chats.repository.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import type { InboundBody, OpenUpdate } from '../../contracts/dialog.js';
import type { Messenger } from '../../contracts/messenger.js';
import { AppError } from '../../errors/app-error.js';
import type { RequestsService } from '../requests.service.js';
import { ActsService } from './acts.service.js';
import { said } from './commands/asked.js';
import type { MessageRate } from './message-rate.js';
import { MOST_ATTEMPTS, type Presses } from './turn.js';

const ADDRESS = anUpdate().address;

describe('acts', () => {
  const finish = jest.fn<InboxRepository['finish']>();
  const stopBefore = jest.fn<ChatsRepository['stopBefore']>();
  const cancel = jest.fn<RequestsService['cancel']>();
  const press = jest.fn<Presses['press']>();
  const react = jest.fn<Presses['react']>();
  const stopped = jest.fn<Presses['stopped']>();
  const maySayBeside = jest.fn<MessageRate['maySayBeside']>();
  const changeText = jest.fn<ChatsRepository['changeText']>();
  const leave = jest.fn<InboxRepository['leave']>();
  const next = jest.fn<InboxRepository['next']>();
  const heard = jest.fn<Messenger['heard']>();
  const waiting: OpenUpdate[] = [];
  const acts = new ActsService({
    inbox: strict<InboxRepository>('inbox', {
      ...{ finish, leave, next },
    }),
    chats: strict<ChatsRepository>('chats', { stopBefore, changeText }),
    requests: strict<RequestsService>('requests', { cancel }),
    presses: { press, react, stopped },
    rate: { maySayBeside },
    messengers: { tg: strict<Messenger>('the messenger', { heard }) },
    defaultDao: () => undefined,
    log: pino({ level: 'silent' }),
  });
  const look = (count = 1) => acts.doActs(ADDRESS, { count, signal: new AbortController().signal });
  const did = (body: InboundBody, changes: Partial<OpenUpdate> = {}) => {
    waiting.push(anUpdate({ body, ...changes }));
    return look();
  };
  /** What is left to be shown, of each act that left something. */
  const left = () => leave.mock.calls.map(([, one]) => one);
  const BUTTON: InboundBody = { kind: 'button', press: 'p1', data: 'good:r1' };

  beforeEach(() => {
    jest.resetAllMocks();
    maySayBeside.mockResolvedValue(true);
    waiting.length = 0;
    const end = (id: string): Promise<void> => {
      waiting.splice(
        waiting.findIndex((one) => one.id === id),
        1,
      );
      return Promise.resolve();
    };
    next.mockImplementation((_address, lane) => {
      expect(lane).toBe('act');
      return Promise.resolve(waiting[0] && { ...waiting[0], isMore: waiting.length > 1 });
    });
    finish.mockImplementation(end);
    leave.mockImplementation(end);
    heard.mockResolvedValue();
  });

  it.each([
    ['What?', 'Too many messages'],
    ['Що?', 'забагато повідомлень'],
  ])('should tell whoever wrote where too much waits, in their language: %s', async (text, words) => {
    expect(await did({ kind: 'message', text, isBeyond: true })).toMatchObject({ wakes: ['say'] });
    expect(left().map(({ says }) => says?.body.text)).toEqual([expect.stringContaining(words)]);
    expect(stopBefore).not.toHaveBeenCalled();
    expect(finish).not.toHaveBeenCalled();
  });

  it('should leave what is to be shown of a press to another lane, and only then tell whoever pressed', async () => {
    const order: string[] = [];
    const [shows, says] = [said('changed'), said('beside')];
    press.mockResolvedValue({ told: 'heard', shows, says, wakesTurns: true });
    heard.mockImplementation(() => Promise.resolve(void order.push('heard')));
    leave.mockImplementation(() => {
      waiting.length = 0;
      order.push('left');
      return Promise.resolve();
    });
    expect(await did(BUTTON)).toEqual({ isMore: false, waitMs: null, wakes: ['turn', 'say'] });
    expect(order).toEqual(['left', 'heard']);
    expect(heard.mock.calls).toEqual([['p1', 'heard']]);
    expect(leave).toHaveBeenCalledWith('u1', { shows, says });
  });

  it('should tell whoever pressed nothing twice: where it is not on record yet that it is done, it is told later', async () => {
    press.mockResolvedValue({ told: 'heard', says: said('beside') });
    leave.mockRejectedValueOnce(new AppError('STORE_UNAVAILABLE'));
    await expect(did(BUTTON)).rejects.toThrow(AppError);
    expect(heard).not.toHaveBeenCalled();
    await look(2);
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('should wait for no platform: a stop is done while a press before it is not confirmed', async () => {
    press.mockResolvedValue({ told: 'heard' });
    heard.mockReturnValue(new Promise(() => undefined));
    stopBefore.mockResolvedValue({ count: 1, requestIds: ['r1'] });
    waiting.push(anUpdate({ body: BUTTON }), anUpdate({ id: 'u2', body: { kind: 'message', text: '/stop' } }));
    expect(await look()).toEqual({ isMore: false, waitMs: null });
    expect(cancel).toHaveBeenCalledTimes(1);
    expect(finish.mock.calls).toEqual([['u1'], ['u2']]);
  });

  it('should stop what somebody has made a /stop of', async () => {
    stopBefore.mockResolvedValue({ count: 1, requestIds: ['r1'] });
    await did({ kind: 'edit', text: '/stop' });
    expect(stopBefore).toHaveBeenCalledWith(expect.objectContaining({ body: { kind: 'edit', text: '/stop' } }));
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('should do a press whose platform has forgotten it', async () => {
    press.mockResolvedValue({ told: 'heard' });
    heard.mockRejectedValue(new Error('query is too old'));
    expect(await did(BUTTON)).not.toHaveProperty('wakes');
    expect(finish).toHaveBeenCalledWith('u1');
    expect(leave).not.toHaveBeenCalled();
  });

  it('should count the tries of each act by itself, and keep what was done before it', async () => {
    const failure = new TypeError('a mistake');
    waiting.push(anUpdate({ id: 'good', body: { kind: 'reaction', marks: ['👎'] } }), anUpdate({ body: BUTTON }));
    react.mockResolvedValue(said('What was wrong?'));
    press.mockRejectedValue(failure);
    // However often the look itself was tried: what fails is not the one that it was tried for.
    expect(await look(MOST_ATTEMPTS)).toEqual({ isMore: true, waitMs: null, wakes: ['say'] });
    await expect(look(1)).rejects.toBe(failure);
    await expect(look(MOST_ATTEMPTS - 1)).rejects.toBe(failure);
    expect(finish).not.toHaveBeenCalled();
    await look(MOST_ATTEMPTS);
    expect(finish).toHaveBeenCalledWith('u1');
  });

  it('should go on for as long as what an act needs is away', async () => {
    press.mockRejectedValue(new AppError('TEMPORAL_UNAVAILABLE'));
    waiting.push(anUpdate({ body: BUTTON }));
    await expect(look(100)).rejects.toThrow(AppError);
    expect(finish).not.toHaveBeenCalled();
  });

  it('should have a message answered anew that was changed, and say so where that is too late', async () => {
    changeText.mockResolvedValueOnce({ requestId: 'r1' });
    expect(await did({ kind: 'edit', text: 'apples' })).toMatchObject({ wakes: ['turn'] });
    expect(cancel).toHaveBeenCalledWith(expect.anything(), 'r1', { userId: 'tg:12345' });
    changeText.mockResolvedValueOnce('done');
    expect(await did({ kind: 'edit', text: '/review 13' })).toMatchObject({ wakes: ['say'] });
    expect(left().map(({ says }) => says?.body.text)).toEqual([expect.stringContaining('Send it anew')]);
    changeText.mockResolvedValueOnce(undefined);
    expect(await did({ kind: 'edit', text: 'the same' })).not.toHaveProperty('wakes');
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('should end no press that could not be done', async () => {
    press.mockRejectedValue(new Error('the database is away'));
    await expect(did(BUTTON)).rejects.toThrow('away');
    expect(finish).not.toHaveBeenCalled();
  });

  it('should say what a reaction is answered with', async () => {
    const question = said('What was wrong?');
    react.mockResolvedValue(question);
    await did({ kind: 'reaction', marks: ['👎'] });
    expect(react).toHaveBeenCalledWith(expect.anything(), ['👎']);
    expect(left()).toEqual([{ shows: undefined, says: question }]);
  });

  it('should say so where there was nothing to stop, and stop what there was', async () => {
    stopBefore.mockResolvedValue({ count: 0, requestIds: [] });
    stopped.mockResolvedValue(said('nothing to stop'));
    await did({ kind: 'message', text: '/stop' });
    expect(stopped).toHaveBeenLastCalledWith(expect.anything(), 0);
    expect(left()).toEqual([{ shows: undefined, says: said('nothing to stop') }]);
    stopped.mockResolvedValue(undefined);
    stopBefore.mockResolvedValue({ count: 2, requestIds: ['r1'] });
    await did({ kind: 'message', text: '/stop' });
    expect(cancel).toHaveBeenCalledWith(expect.anything(), 'r1', { userId: 'tg:12345' });
    expect(stopped).toHaveBeenLastCalledWith(expect.anything(), 2);
    expect(finish).toHaveBeenCalledTimes(1);
  });

  it('should do whatever somebody does again and again, but not tell them so each time', async () => {
    maySayBeside.mockResolvedValue(false);
    stopBefore.mockResolvedValue({ count: 0, requestIds: [] });
    stopped.mockResolvedValue(said('nothing to stop'));
    react.mockResolvedValue(said('What was wrong?'));
    press.mockResolvedValue({ told: 'heard', says: said('beside') });
    for (const body of [
      { kind: 'message' as const, text: '/stop' },
      { kind: 'reaction' as const, marks: ['👎'] },
      BUTTON,
    ]) {
      await did(body);
      expect(left()).toEqual([]);
    }
    expect(heard).toHaveBeenCalledWith('p1', 'heard');
    expect(finish).toHaveBeenCalledTimes(3);
  });

  it('should not say that nothing was stopped where it may have been, the time before', async () => {
    stopBefore.mockResolvedValue({ count: 0, requestIds: [] });
    stopped.mockResolvedValue(undefined);
    await did({ kind: 'message', text: '/stop' }, { isAgain: true });
    expect(stopped).toHaveBeenCalledWith(expect.anything(), 1);
  });
});
