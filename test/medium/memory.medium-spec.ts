import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { MemoryRepository, WORTH } from '../../src/adapters/store/memory.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { createDao } from '../factories/access.js';
import { anInbound } from '../factories/dialogs.js';
import { aClaim, anAnswer, aRequest } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const OTHER = 'other-dao';
/** Of each prompt and each answer. */
const BYTES = 100;

describe.each(DATABASES)('what dialogs remember, on %s', (_name, open) => {
  let fresh: Fresh;
  let memory: MemoryRepository;
  let requests: RequestsRepository;
  let chat: string;

  beforeAll(async () => {
    fresh = await open();
    memory = new MemoryRepository(fresh.database);
    requests = new RequestsRepository(fresh.database);
    for (const id of [DAO, OTHER]) await createDao(fresh.database, { id });
    const inbox = new InboxRepository(fresh.database);
    await inbox.accept(anInbound());
    chat = (await inbox.next({ source: 'tg', chat: '1', topic: '' }, 'turn', DAO))?.chat ?? '';
  });
  afterAll(() => fresh.drop());

  async function turn(second: number, isAnswered = true): Promise<void> {
    const receivedAt = new Date(Date.UTC(2026, 10, 30, 12, 0, second));
    const request = aRequest({ daoId: DAO, chat, prompt: 'p'.repeat(BYTES), receivedAt });
    expect(await requests.accept(request)).toBe(true);
    if (!isAnswered) return;
    const job = await requests.claim(request.id, DAO, aClaim());
    const answer = anAnswer({ text: 'a'.repeat(BYTES), generation: job?.record.generation ?? 0 });
    expect(await requests.recordAnswer(request.id, DAO, answer)).toBe(true);
  }

  it('should be worth a summary when so much is older than what stays whole', async () => {
    const dialog = { daoId: DAO, chat };
    const whole = 3 * 2 * BYTES;
    const enough = whole * (1 + WORTH);
    for (const second of [1, 2, 3, 4]) await turn(second);
    await turn(5, false);
    expect(await memory.isLonger(dialog, enough)).toBe(false);
    expect(await memory.old(dialog, whole)).toBeUndefined();
    await turn(6);
    expect(await memory.isLonger(dialog, enough)).toBe(true);
    expect(await memory.isLonger({ daoId: OTHER, chat }, 0)).toBe(false);
    const old = await memory.old(dialog, whole);
    expect(old?.turns.map(({ createdAt }) => createdAt.getUTCSeconds())).toEqual([1, 2]);
    expect(await memory.isAt(dialog, { source: 'tg', chat: '1', topic: '' })).toBe(true);
    expect(await memory.isAt(dialog, { source: 'tg', chat: '2', topic: '' })).toBe(false);
    if (old) await memory.keep(DAO, old, 'What was said.');
    expect(await memory.isLonger(dialog, whole)).toBe(false);
    await turn(7);
    expect(await memory.isLonger(dialog, whole)).toBe(true);
    expect(await memory.isLonger(dialog, enough)).toBe(false);
  });
});
