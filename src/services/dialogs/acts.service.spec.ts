import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { anUpdate } from '../../../test/factories/conversation.js';
import { strict } from '../../../test/factories/strict.js';
import type { ChatsRepository } from '../../adapters/store/chats.repository.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import type { InboundBody, OpenUpdate } from '../../contracts/dialog.js';
import type { Messenger } from '../../contracts/messenger.js';
import type { RequestsService } from '../requests.service.js';
import { ActsService } from './acts.service.js';
import { said } from './commands/asked.js';
import type { MessageRate } from './message-rate.js';
import type { SmallReplies } from './small-replies.js';
import type { Presses } from './turn.js';

const ADDRESS = anUpdate().address;

describe('acts', () => {
  const finish = jest.fn<InboxRepository['finish']>();
  const stopBefore = jest.fn<ChatsRepository['stopBefore']>();
  const cancel = jest.fn<RequestsService['cancel']>();
  const press = jest.fn<Presses['press']>();
  const react = jest.fn<Presses['react']>();
  const stopped = jest.fn<Presses['stopped']>();
  const say = jest.fn<SmallReplies['say']>();
  const change = jest.fn<SmallReplies['change']>();
  const maySayBeside = jest.fn<MessageRate['maySayBeside']>();
  const heard = jest.fn<Messenger['heard']>();
  const waiting: OpenUpdate[] = [];
  const acts = new ActsService({
    inbox: strict<InboxRepository>('inbox', {
      finish,
      next: () => Promise.resolve(waiting[0] && { ...waiting.shift()!, isMore: waiting.length > 0 }),
    }),
    chats: strict<ChatsRepository>('chats', { stopBefore }),
    requests: strict<RequestsService>('requests', { cancel }),
    presses: { press, react, stopped },
    rate: { maySayBeside },
    small: { say, change },
    messengers: { tg: strict<Messenger>('the messenger', { heard }) },
    defaultDao: () => undefined,
    log: pino({ level: 'silent' }),
  });
  const did = (body: InboundBody, changes: Partial<OpenUpdate> = {}) => {
    waiting.push(anUpdate({ body, ...changes }));
    return acts.doActs(ADDRESS, { count: 1, signal: new AbortController().signal });
  };
  const BUTTON: InboundBody = { kind: 'button', press: 'p1', data: 'good:r1' };

  beforeEach(() => {
    jest.resetAllMocks();
    finish.mockResolvedValue();
    say.mockResolvedValue();
    maySayBeside.mockResolvedValue(true);
    change.mockResolvedValue();
    heard.mockResolvedValue();
  });

  it.each([
    ['What?', 'Too many messages'],
    ['Що?', 'забагато повідомлень'],
  ])('should tell whoever wrote where too much waits, in their language: %s', async (text, words) => {
    await did({ kind: 'message', text, isBeyond: true });
    expect(say.mock.calls.map(([, content]) => content?.body.text)).toEqual([expect.stringContaining(words)]);
    expect(stopBefore).not.toHaveBeenCalled();
    expect(finish).toHaveBeenCalledTimes(1);
  });

  it('should tell a press what came of it, then change its message and say what is to be said', async () => {
    const order: string[] = [];
    const [shows, says] = [said('changed'), said('beside')];
    press.mockResolvedValue({ told: 'heard', shows, says, wakesTurns: true });
    heard.mockImplementation(() => Promise.resolve(void order.push('heard')));
    change.mockImplementation(() => Promise.resolve(void order.push('changed')));
    say.mockImplementation(() => Promise.resolve(void order.push('said')));
    expect(await did(BUTTON)).toMatchObject({ wakesTurns: true });
    expect(order).toEqual(['heard', 'changed', 'said']);
    expect(heard).toHaveBeenCalledWith('p1', 'heard');
    expect(change.mock.lastCall?.[1]).toEqual(shows);
    expect(finish).toHaveBeenCalledWith('u1');
  });

  it('should do a press whose platform has forgotten it', async () => {
    press.mockResolvedValue({ told: 'heard' });
    heard.mockRejectedValue(new Error('query is too old'));
    expect(await did(BUTTON)).not.toHaveProperty('wakesTurns');
    expect(finish).toHaveBeenCalledWith('u1');
    expect(change).not.toHaveBeenCalled();
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
    expect(say).toHaveBeenCalledWith(expect.anything(), question);
  });

  it('should say so where there was nothing to stop, and stop what there was', async () => {
    stopBefore.mockResolvedValue({ count: 0, requestIds: [] });
    stopped.mockResolvedValue(said('nothing to stop'));
    await did({ kind: 'message', text: '/stop' });
    expect(stopped).toHaveBeenLastCalledWith(expect.anything(), 0);
    expect(say).toHaveBeenLastCalledWith(expect.anything(), said('nothing to stop'));
    stopBefore.mockResolvedValue({ count: 2, requestIds: ['r1'] });
    await did({ kind: 'message', text: '/stop' });
    expect(cancel).toHaveBeenCalledWith(expect.anything(), 'r1', { userId: 'tg:12345' });
    expect(stopped).toHaveBeenLastCalledWith(expect.anything(), 2);
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
      expect(say).toHaveBeenLastCalledWith(expect.anything(), undefined);
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
