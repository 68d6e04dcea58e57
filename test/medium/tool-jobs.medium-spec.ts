import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ToolRequest, WriteJournal } from '../../src/contracts/devtools.js';
import { RequestsRepository, type ToolEnd } from '../../src/adapters/store/requests.repository.js';
import { createDao } from '../factories/access.js';
import { aDecision, aRequest, anEnding } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const OTHER = 'other-dao';
const WRITE: ToolRequest = { tool: 'fs_write', params: { path: 'a.txt', content: 'новий\n' } };
const JOURNAL: WriteJournal = { files: [{ path: 'a.txt', before: null, after: 'h' }] };
const RESULT = { path: 'a.txt', hash: 'h', previous_hash: null, size: 11, created: true };

describe.each(DATABASES)('requests for tools on %s', (_name, open) => {
  let fresh: Fresh;
  let requests: RequestsRepository;
  let id: string;

  beforeAll(async () => {
    fresh = await open();
    requests = new RequestsRepository(fresh.database);
    await createDao(fresh.database);
    await createDao(fresh.database, { id: OTHER, name: 'Other DAO', facts: {} });
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    const decision = aDecision({ mode: 'devtools', rule: 'devtools', tool: 'fs_write', chain: [] });
    const request = aRequest({ mode: 'devtools', prompt: '', metadata: { tool: 'fs_write' }, tool: WRITE, decision });
    expect(await requests.accept(request)).toBe(true);
    ({ id } = request);
  });

  const end = (generation: number): ToolEnd => ({
    ...{ result: RESULT, timings: { queue: 1, tool: 2, total: 3 }, generation },
    kept: { tool: 'fs_write', params: { path: 'a.txt', content: { characters: 6 } } },
  });
  const rowOf = () =>
    fresh.database
      .of(DAO)
      .selectFrom('turns')
      .where('request_id', '=', id)
      .select(['tool', 'journal', 'result'])
      .executeTakeFirstOrThrow();

  it('should hand over what is to be done, and count the runs', async () => {
    const first = await requests.claimTool(id, DAO);
    expect(first).toMatchObject({ request: WRITE, journal: null, record: { id, status: 'running', generation: 1 } });
    expect(await requests.claimTool(id, DAO)).toMatchObject({ request: WRITE, record: { generation: 2 } });
  });

  it('should hand over nothing of a chat, of another DAO, or of what has ended', async () => {
    const chat = aRequest();
    await requests.accept(chat);
    expect(await requests.claimTool(chat.id, DAO)).toBeUndefined();
    expect(await requests.find(chat.id, DAO)).toMatchObject({ status: 'accepted', generation: 0 });
    expect(await requests.claimTool(id, OTHER)).toBeUndefined();
    await requests.recordEnding(id, DAO, anEnding({ status: 'cancelled' }));
    expect(await requests.claimTool(id, DAO)).toBeUndefined();
    expect(await requests.find(id, DAO)).toMatchObject({ status: 'cancelled', generation: 0 });
  });

  it('should keep what the latest run is about to write, for the one after it', async () => {
    await requests.claimTool(id, DAO);
    expect(await requests.keepJournal(id, DAO, { generation: 1, journal: JOURNAL })).toBe(true);
    expect(await requests.claimTool(id, DAO)).toMatchObject({ journal: JOURNAL, record: { generation: 2 } });
  });

  it('should let the latest run of an open request write, and nobody else', async () => {
    await requests.claimTool(id, DAO);
    await requests.claimTool(id, DAO);
    const may = async (generation: number, dao = DAO): Promise<boolean[]> => [
      await requests.isLatestRun(id, dao, generation),
      await requests.keepJournal(id, dao, { generation, journal: JOURNAL }),
    ];
    expect(await may(1)).toEqual([false, false]);
    expect(await may(3)).toEqual([false, false]);
    expect(await may(2, OTHER)).toEqual([false, false]);
    expect((await rowOf()).journal).toBeNull();
    expect(await may(2)).toEqual([true, true]);
    await requests.recordEnding(id, DAO, anEnding({ status: 'cancelled' }));
    expect(await may(2)).toEqual([false, false]);
  });

  it('should end with what the latest run gave, once, and keep no long text of what was asked', async () => {
    await requests.claimTool(id, DAO);
    await requests.claimTool(id, DAO);
    expect(await requests.recordToolResult(id, DAO, end(1))).toBe(false);
    expect(await requests.recordToolResult(id, OTHER, end(2))).toBe(false);
    expect(await requests.find(id, DAO)).toMatchObject({ status: 'running' });
    expect(await rowOf()).toMatchObject({ result: null, tool: WRITE });
    expect(await requests.recordToolResult(id, DAO, end(2))).toBe(true);
    expect(await requests.recordToolResult(id, DAO, end(2))).toBe(false);
    expect(await requests.find(id, DAO)).toMatchObject({
      ...{ status: 'completed', result: RESULT, origin: { step: 'tool' }, provider: null, usage: null },
      timings: { queue: 1, tool: 2, total: 3 },
    });
    expect((await rowOf()).tool).toEqual(end(2).kept);
  });

  it('should give one of two runs the end, whoever is first', async () => {
    await requests.claimTool(id, DAO);
    const ends = await Promise.all([
      requests.recordToolResult(id, DAO, end(1)),
      requests.recordEnding(id, DAO, anEnding({ status: 'cancelled' })),
    ]);
    expect(ends.filter(Boolean)).toHaveLength(1);
    const record = await requests.find(id, DAO);
    expect(record?.status).toBe(ends[0] ? 'completed' : 'cancelled');
    expect((await rowOf()).result === null).toBe(!ends[0]);
  });

  it('should count the request, without tokens and without a price', async () => {
    const asked = async (): Promise<number> => {
      const rows = fresh.database.of(DAO).selectFrom('usage_daily').where('provider', '=', 'tool').selectAll();
      const found = await rows.execute();
      expect(found.every((row) => Number(row.prompt_tokens) + Number(row.completion_tokens) === 0)).toBe(true);
      return found.reduce((sum, row) => sum + Number(row.requests), 0);
    };
    const before = await asked();
    await requests.claimTool(id, DAO);
    await requests.recordToolResult(id, DAO, end(1));
    expect(await asked()).toBe(before + 1);
  });
});
