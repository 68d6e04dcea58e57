import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { anActing, anUpdate, DAO } from '../../../test/factories/conversation.js';
import type { MemoryRepository, OldTurns } from '../../adapters/store/memory.repository.js';
import type { AccessService } from '../access.service.js';
import type { Accepted } from '../accepted.js';
import type { OutcomesService } from '../outcomes.service.js';
import type { SubmissionsService } from '../submissions.service.js';
import { MemoryService } from './memory.service.js';

const { address } = anUpdate();
const PLACE = { daoId: DAO, chat: 'c1' };

describe(MemoryService, () => {
  const isAt = jest.fn<MemoryRepository['isAt']>();
  const old = jest.fn<MemoryRepository['old']>();
  const keep = jest.fn<MemoryRepository['keep']>();
  const submit = jest.fn<SubmissionsService['submit']>();
  const wait = jest.fn<OutcomesService['wait']>();
  const resolve = jest.fn<AccessService['resolve']>();
  const memory = new MemoryService({
    memory: { isAt, old, keep, isLonger: () => Promise.resolve(true), forgetWords: () => Promise.resolve() },
    ...{ submissions: { submit }, outcomes: { wait }, access: { resolve }, historyTokens: () => 100 },
    log: pino({ level: 'silent' }),
  });
  const remember = (): Promise<void> => memory.remember(address, PLACE, new AbortController().signal);
  const turn = (actor: string): OldTurns['turns'][number] => ({
    actor,
    prompt: 'p',
    answer: 'a',
    createdAt: new Date(0),
  });

  beforeEach(() => {
    jest.resetAllMocks();
    isAt.mockResolvedValue(true);
    old.mockResolvedValue({
      ...{ dialogId: 'd', summary: null, summarisedTo: null },
      turns: ['tg:1', 'tg:2', 'tg:3'].map(turn),
    });
    submit.mockResolvedValue({ requestId: 'r1' } as Accepted);
    wait.mockResolvedValue({
      ok: true,
      mode: 'chat',
      data: { text: 'What was said.', finish_reason: 'stop' },
    } as never);
    resolve.mockImplementation((_key, { userId }) => Promise.resolve(anActing(userId === 'tg:3' ? 'guest' : 'member')));
  });

  it('should ask in the name of whoever spoke last of those who still may', async () => {
    await remember();
    expect(submit.mock.lastCall?.[1]).toMatchObject({ userId: 'tg:2' });
    expect(keep).toHaveBeenCalledWith(DAO, expect.anything(), 'What was said.');
  });

  it('should ask nobody where nobody may any more, or the dialog is of another chat', async () => {
    resolve.mockResolvedValue(anActing('guest'));
    await remember();
    isAt.mockResolvedValue(false);
    await remember();
    expect(old).toHaveBeenCalledTimes(1);
    expect(submit).not.toHaveBeenCalled();
  });
});
