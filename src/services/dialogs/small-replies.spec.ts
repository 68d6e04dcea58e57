import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { anUpdate, DAO } from '../../../test/factories/conversation.js';
import { strict } from '../../../test/factories/strict.js';
import type { RecordedReply, RepliesRepository } from '../../adapters/store/replies.repository.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import type { Left, OpenUpdate } from '../../contracts/dialog.js';
import type { Messenger } from '../../contracts/messenger.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import type { DeliveriesService } from '../news/deliveries.service.js';
import { said } from './commands/asked.js';
import type { FailedMessages } from './failed-messages.js';
import { SmallReplies } from './small-replies.js';

const WORDS = said('Nothing to stop.');
const recorded = (changes: Partial<RecordedReply> = {}): RecordedReply => ({
  ...{
    id: 'u1',
    content: WORDS,
    requestId: null,
    revision: 1,
    generation: 1,
    isNew: true,
    isDone: false,
    isStopped: false,
  },
  parts: [],
  ...changes,
});

const attempt = (count = 1) => ({ count, signal: new AbortController().signal });

describe('what is shown of acts', () => {
  const next = jest.fn<InboxRepository['next']>();
  const end = jest.fn<InboxRepository['finish']>();
  const followPressed = jest.fn<DeliveriesService['followPressed']>();
  const isLost = jest.fn<FailedMessages['isLost']>();
  const giveUp = jest.fn<RepliesRepository['giveUp']>();
  const begin = jest.fn<RepliesRepository['begin']>();
  const finish = jest.fn<RepliesRepository['finish']>();
  const put = jest.fn<RepliesRepository['put']>();
  const create = jest.fn<Messenger['create']>();
  const edit = jest.fn<Messenger['edit']>();
  const small = new SmallReplies({
    inbox: { next, finish: end },
    failed: { isLost },
    news: { followPressed },
    defaultDao: () => undefined,
    replies: strict<RepliesRepository>('replies', { begin, giveUp, finish, put }),
    messengers: { tg: strict<Messenger>('the messenger', { create, edit, split: (body) => [body] }) },
    log: pino({ level: 'silent' }),
  });

  /** Shows what is left of an act. */
  const sayNext = (left: Left, changes: Partial<OpenUpdate> = {}, count = 1) => {
    next.mockResolvedValueOnce({ ...anUpdate({ left, ...changes }), isMore: false });
    return small.sayNext(anUpdate().address, attempt(count));
  };

  beforeEach(() => {
    jest.resetAllMocks();
    end.mockResolvedValue();
    giveUp.mockResolvedValue();
    begin.mockResolvedValue(recorded());
    finish.mockResolvedValue(true);
    put.mockResolvedValue(true);
    create.mockResolvedValue('101');
    edit.mockResolvedValue();
  });

  it('should be written down, and created as an answer to what came in', async () => {
    expect(await sayNext({ says: WORDS })).toEqual({ isMore: false, waitMs: null });
    expect(next).toHaveBeenCalledWith(anUpdate().address, 'say', undefined);
    expect(begin).toHaveBeenCalledWith(expect.objectContaining({ id: 'u1' }), DAO, { content: WORDS });
    const place = { source: 'tg', chat: '12345', topic: null, kind: 'private' };
    expect(create.mock.calls).toEqual([[place, { body: WORDS.body, buttons: [], replyTo: '100' }, 'u1.0']]);
    expect(finish).toHaveBeenCalledWith(expect.objectContaining({ id: 'u1' }), []);
    expect(end.mock.calls).toEqual([['u1']]);
  });

  it('should not be said twice', async () => {
    begin.mockResolvedValue(recorded({ isDone: true, generation: 2 }));
    await sayNext({ says: WORDS }, { isAgain: true });
    expect(create).not.toHaveBeenCalled();
    expect(end.mock.calls).toEqual([['u1']]);
  });

  it('should be nothing where nothing is to be said, or cannot be', async () => {
    next.mockResolvedValueOnce(undefined);
    expect(await small.sayNext(anUpdate().address, attempt())).toEqual({ isMore: false, waitMs: null });
    expect(end).not.toHaveBeenCalled();
    await sayNext({ says: WORDS }, { daoId: null });
    await sayNext({ says: WORDS }, { isClosed: true });
    await sayNext({ says: WORDS }, { address: { source: 'dc', chat: '1', topic: '' } });
    expect([begin.mock.calls, create.mock.calls]).toEqual([[], []]);
    expect(end).toHaveBeenCalledTimes(3);
  });

  it('should be tried again, or given up, as turns are', async () => {
    const away = new DeliveryError('unreachable', 'away', { maybeDone: true });
    create.mockRejectedValue(away);
    isLost.mockRejectedValueOnce(away);
    await expect(sayNext({ says: WORDS }, {}, 100)).rejects.toBe(away);
    expect(isLost).toHaveBeenCalledWith(expect.objectContaining({ chat: 'c1', error: away, count: 100 }));
    expect(end).not.toHaveBeenCalled();
    // Its chat has another id now: there it is said.
    isLost.mockResolvedValueOnce(false);
    await sayNext({ says: WORDS });
    expect(end).not.toHaveBeenCalled();
    isLost.mockResolvedValueOnce(true);
    await sayNext({ says: WORDS });
    expect(giveUp).toHaveBeenCalledWith('u1', DAO);
    expect(end.mock.calls).toEqual([['u1', 'dropped']]);
  });

  it('should change the message of a press, and fail nobody if the platform will not', async () => {
    const shows = WORDS;
    await sayNext({ shows }, { messageId: '77' });
    expect(edit).toHaveBeenCalledWith(expect.anything(), '77', { body: WORDS.body, buttons: [] });
    expect(followPressed).toHaveBeenCalledWith(expect.objectContaining({ messageId: '77' }), shows);
    edit.mockRejectedValue(new DeliveryError('limited', 'too many edits', { retryAfterMs: 9_000 }));
    await sayNext({ shows });
    expect(end).toHaveBeenCalledTimes(2);
    edit.mockRejectedValue(new TypeError('a mistake'));
    isLost.mockRejectedValue(new TypeError('a mistake'));
    await expect(sayNext({ shows })).rejects.toThrow('a mistake');
    await sayNext({ shows }, { messageId: null });
    expect(edit).toHaveBeenCalledTimes(3);
  });
});
