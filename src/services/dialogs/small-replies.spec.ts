import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { anUpdate, DAO } from '../../../test/factories/conversation.js';
import { strict } from '../../../test/factories/strict.js';
import type { RecordedReply, RepliesRepository } from '../../adapters/store/replies.repository.js';
import type { Messenger } from '../../contracts/messenger.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import { said } from './commands/asked.js';
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

describe('what is said beside turns', () => {
  const begin = jest.fn<RepliesRepository['begin']>();
  const claim = jest.fn<RepliesRepository['claim']>();
  const finish = jest.fn<RepliesRepository['finish']>();
  const put = jest.fn<RepliesRepository['put']>();
  const create = jest.fn<Messenger['create']>();
  const edit = jest.fn<Messenger['edit']>();
  const small = new SmallReplies({
    replies: strict<RepliesRepository>('replies', { begin, claim, finish, put }),
    messengers: { tg: strict<Messenger>('the messenger', { create, edit, split: (body) => [body] }) },
    log: pino({ level: 'silent' }),
  });

  beforeEach(() => {
    jest.resetAllMocks();
    begin.mockResolvedValue(recorded());
    finish.mockResolvedValue(true);
    put.mockResolvedValue(true);
    create.mockResolvedValue('101');
    edit.mockResolvedValue();
  });

  it('should be written down, and created as an answer to what came in', async () => {
    await small.say(anUpdate(), WORDS);
    expect(begin).toHaveBeenCalledWith(anUpdate(), DAO, { content: WORDS });
    const place = { source: 'tg', chat: '12345', topic: null, kind: 'private' };
    expect(create.mock.calls).toEqual([[place, { body: WORDS.body, buttons: [], replyTo: '100' }, 'u1.0']]);
    expect(finish).toHaveBeenCalledWith(expect.objectContaining({ id: 'u1' }), []);
  });

  it('should be ended where it was begun before, and not be said twice', async () => {
    claim.mockResolvedValue(recorded({ generation: 2 }));
    await small.say(anUpdate({ isAgain: true }), undefined);
    expect(create).toHaveBeenCalledTimes(1);
    claim.mockResolvedValue(recorded({ isDone: true }));
    await small.say(anUpdate({ isAgain: true }), undefined);
    claim.mockResolvedValue(undefined);
    await small.say(anUpdate({ isAgain: true }), undefined);
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('should be nothing where nothing is to be said, or cannot be', async () => {
    await small.say(anUpdate(), undefined);
    await small.say(anUpdate({ daoId: null }), WORDS);
    await small.say(anUpdate({ isClosed: true }), WORDS);
    await small.say(anUpdate({ address: { source: 'dc', chat: '1', topic: '' } }), WORDS);
    expect([begin.mock.calls, create.mock.calls]).toEqual([[], []]);
  });

  it('should change the message of a press, and fail nobody if the platform will not', async () => {
    await small.change(anUpdate({ messageId: '77' }), WORDS);
    expect(edit).toHaveBeenCalledWith(expect.anything(), '77', { body: WORDS.body, buttons: [] });
    edit.mockRejectedValue(new DeliveryError('limited', 'too many edits', { retryAfterMs: 9_000 }));
    await small.change(anUpdate(), WORDS);
    edit.mockRejectedValue(new TypeError('a mistake'));
    await expect(small.change(anUpdate(), WORDS)).rejects.toThrow('a mistake');
    await small.change(anUpdate({ messageId: null }), WORDS);
    expect(edit).toHaveBeenCalledTimes(3);
  });
});
