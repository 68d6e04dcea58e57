import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { anUpdate, DAO } from '../../../test/factories/conversation.js';
import { strict } from '../../../test/factories/strict.js';
import type { InboxRepository, NextUpdate } from '../../adapters/store/inbox.repository.js';
import type { RecordedReply, RepliesRepository } from '../../adapters/store/replies.repository.js';
import type { RequestsRepository } from '../../adapters/store/requests.repository.js';
import type { Messenger } from '../../contracts/messenger.js';
import { AppError } from '../../errors/app-error.js';
import type { Accepted } from '../accepted.js';
import type { DeliveriesService } from '../news/deliveries.service.js';
import type { OutcomesService } from '../outcomes.service.js';
import type { RequestsService } from '../requests.service.js';
import type { FailedMessages } from './failed-messages.js';
import type { JoiningService } from './joining.js';
import type { MessageRate } from './message-rate.js';
import type { Strangers } from './strangers.js';
import { BOTS_KEY, type Conversation } from './turn.js';
import { TurnsService } from './turns.service.js';

const { address } = anUpdate();

describe(TurnsService, () => {
  const next = jest.fn<InboxRepository['next']>();
  const finish = jest.fn<InboxRepository['finish']>();
  const settle = jest.fn<JoiningService['settle']>();
  const beyond = jest.fn<MessageRate['beyond']>();
  const open = jest.fn<Conversation['open']>();
  const unanswered = jest.fn<NonNullable<Messenger['unanswered']>>();
  const create = jest.fn<Messenger['create']>();
  const invitedTo = jest.fn<Strangers['invitedTo']>();
  const told = jest.fn<Strangers['told']>();
  const due = jest.fn<DeliveriesService['due']>();
  const claim = jest.fn<RepliesRepository['claim']>();
  const begin = jest.fn<RepliesRepository['begin']>();
  const giveUp = jest.fn<RepliesRepository['giveUp']>();
  const cancel = jest.fn<RequestsService['cancel']>();
  const joined = jest.fn<RequestsService['joined']>();
  const find = jest.fn<RequestsRepository['find']>();
  const isLost = jest.fn<FailedMessages['isLost']>();
  const turns = new TurnsService({
    inbox: strict<InboxRepository>('inbox', { next, finish }),
    failed: strict<FailedMessages>('failed messages', { isLost }),
    replies: strict<RepliesRepository>('replies', { begin, claim, giveUp }),
    requests: strict<RequestsRepository>('requests', { find }),
    accepted: strict<RequestsService>('accepted', { cancel, joined }),
    outcomes: strict<OutcomesService>('outcomes', {}),
    conversation: { open },
    ...{ joining: { settle }, rate: { beyond } },
    memory: { isDue: () => Promise.resolve(false) },
    strangers: { invitedTo, told },
    news: strict<DeliveriesService>('news', { due }),
    messengers: { tg: strict<Messenger>('the messenger', { unanswered, create }) },
    defaultDao: () => DAO,
    log: pino({ level: 'silent' }),
  });
  const attempt = (count = 1) => ({ count, signal: new AbortController().signal });
  const update: NextUpdate = { ...anUpdate(), isMore: true };

  beforeEach(() => {
    jest.resetAllMocks();
    next.mockResolvedValue(update);
    settle.mockResolvedValue({ update });
    finish.mockResolvedValue();
    unanswered.mockResolvedValue();
  });

  it('tells a stranger, if anything, that no DAO knows them, and nothing else happens', async () => {
    const stranger: NextUpdate = { ...update, daoId: null };
    settle.mockResolvedValue({ update: stranger });
    invitedTo.mockResolvedValue(null);
    told.mockResolvedValueOnce({ text: 'Hello!', marks: [] });
    await turns.answerNext(address, attempt());
    const place = { source: 'tg', chat: '12345', topic: null, kind: 'private' };
    const message = { body: { text: 'Hello!', marks: [] }, buttons: [], replyTo: '100' };
    expect(create.mock.calls).toEqual([[place, message, 'u1.0']]);
    await turns.answerNext(address, attempt());
    expect(told).toHaveBeenLastCalledWith(stranger, true);
    settle.mockResolvedValue({ update: { ...stranger, isStopped: true } });
    await turns.answerNext(address, attempt());
    expect(create).toHaveBeenCalledTimes(1);
    expect(told).toHaveBeenCalledTimes(2);
    expect(finish.mock.calls).toEqual(Array.from({ length: 3 }, () => [update.id, 'dropped']));
    expect([open, beyond, begin].map((one) => one.mock.calls)).toEqual([[], [], []]);
  });

  it('is of the DAO whose invitation a stranger brings', async () => {
    settle.mockResolvedValue({ update: { ...update, daoId: null } });
    invitedTo.mockResolvedValue(DAO);
    open.mockResolvedValue(undefined);
    await turns.answerNext(address, attempt());
    expect(open).toHaveBeenCalledWith(expect.objectContaining({ daoId: DAO }));
    expect(told).not.toHaveBeenCalled();
  });

  it('waits where there may be more to answer as one, and touches nothing', async () => {
    settle.mockResolvedValue({ step: { isMore: false, waitMs: 700 } });
    expect(await turns.answerNext(address, attempt())).toEqual({ isMore: false, waitMs: 700 });
    expect(finish).not.toHaveBeenCalled();
  });

  it('drops what is beyond the rate of its person, who was told so already', async () => {
    beyond.mockResolvedValue(null);
    expect(await turns.answerNext(address, attempt())).toEqual({ isMore: true, waitMs: null });
    expect(unanswered).toHaveBeenCalledWith(update.id);
    expect(finish.mock.calls).toEqual([[update.id, 'dropped']]);
    expect(open).not.toHaveBeenCalled();
  });

  it('asks with all that belongs to a message', async () => {
    const more = [{ id: 'u2', text: 'and pears?' }];
    settle.mockResolvedValue({ update: { ...update, body: { kind: 'message', text: 'Apples', more } } });
    beyond.mockResolvedValue(undefined);
    open.mockResolvedValue(undefined);
    await turns.answerNext(address, attempt());
    expect(open).toHaveBeenCalledWith(expect.objectContaining({ text: 'Apples\nand pears?', language: 'en' }));
    expect(finish.mock.calls).toEqual([[update.id]]);
  });

  it('counts no message twice: what was let in stays so', async () => {
    open.mockResolvedValue(undefined);
    await turns.answerNext(address, attempt(2));
    expect(beyond).not.toHaveBeenCalled();
    expect(open).toHaveBeenCalledTimes(1);
  });

  describe('with a /stop', () => {
    const begun: RecordedReply = {
      ...{ id: 'u1', content: null, requestId: 'r1', revision: 1, generation: 1, isNew: true, isDone: false },
      ...{ isStopped: true, parts: [] },
    };
    const ENOUGH = new Error('enough');
    beforeEach(() => {
      isLost.mockRejectedValue(ENOUGH);
      // Whatever comes after it is none of this.
      find.mockRejectedValue(ENOUGH);
      cancel.mockRejectedValue(ENOUGH);
    });

    it('stops the request for real that was made while it was stopped', async () => {
      open.mockResolvedValue({ accepted: strict<Accepted>('accepted', { requestId: 'r1' }) });
      begin.mockResolvedValue(begun);
      await expect(turns.answerNext(address, attempt())).rejects.toBe(ENOUGH);
      expect(cancel.mock.calls).toEqual([[BOTS_KEY, 'r1', { userId: update.actor }]]);
    });

    it('does so again where the one before has not come so far, and shows what was begun', async () => {
      settle.mockResolvedValue({ update: { ...update, isStopped: true, isAgain: true } });
      claim.mockResolvedValue({ ...begun, generation: 2 });
      cancel.mockRejectedValue(new AppError('REQUEST_ENDED'));
      await expect(turns.answerNext(address, attempt(2))).rejects.toBe(ENOUGH);
      expect(cancel).toHaveBeenCalledTimes(1);
      expect(find).toHaveBeenCalledWith('r1', DAO);
      expect(finish).not.toHaveBeenCalled();
    });

    it('drops what nobody has begun to answer', async () => {
      settle.mockResolvedValue({ update: { ...update, isStopped: true } });
      await turns.answerNext(address, attempt());
      settle.mockResolvedValue({ update: { ...update, isStopped: true, isAgain: true } });
      claim.mockResolvedValue(undefined);
      await turns.answerNext(address, attempt(2));
      expect(finish.mock.calls).toEqual([
        [update.id, 'dropped'],
        [update.id, 'dropped'],
      ]);
      expect(open).not.toHaveBeenCalled();
    });
  });
});
