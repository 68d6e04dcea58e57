import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { anUpdate, DAO } from '../../../test/factories/conversation.js';
import { strict } from '../../../test/factories/strict.js';
import type { InboxRepository, NextUpdate } from '../../adapters/store/inbox.repository.js';
import type { RepliesRepository } from '../../adapters/store/replies.repository.js';
import type { RequestsRepository } from '../../adapters/store/requests.repository.js';
import type { Messenger } from '../../contracts/messenger.js';
import type { DeliveriesService } from '../news/deliveries.service.js';
import type { OutcomesService } from '../outcomes.service.js';
import type { RequestsService } from '../requests.service.js';
import type { FailedMessages } from './failed-messages.js';
import type { JoiningService } from './joining.js';
import type { MessageRate } from './message-rate.js';
import type { Conversation } from './turn.js';
import { TurnsService } from './turns.service.js';

const { address } = anUpdate();

describe(TurnsService, () => {
  const next = jest.fn<InboxRepository['next']>();
  const finish = jest.fn<InboxRepository['finish']>();
  const settle = jest.fn<JoiningService['settle']>();
  const beyond = jest.fn<MessageRate['beyond']>();
  const open = jest.fn<Conversation['open']>();
  const unanswered = jest.fn<NonNullable<Messenger['unanswered']>>();
  const due = jest.fn<DeliveriesService['due']>();
  const claim = jest.fn<RepliesRepository['claim']>();
  const turns = new TurnsService({
    inbox: strict<InboxRepository>('inbox', { next, finish }),
    failed: strict<FailedMessages>('failed messages', {}),
    replies: strict<RepliesRepository>('replies', { claim }),
    requests: strict<RequestsRepository>('requests', {}),
    accepted: strict<RequestsService>('accepted', {}),
    cancels: { tell: () => undefined },
    outcomes: strict<OutcomesService>('outcomes', {}),
    conversation: { open },
    ...{ joining: { settle }, rate: { beyond } },
    memory: { isDue: () => Promise.resolve(false) },
    news: strict<DeliveriesService>('news', { due }),
    messengers: { tg: strict<Messenger>('the messenger', { unanswered }) },
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
});
