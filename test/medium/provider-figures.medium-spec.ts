import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProviderFiguresRepository } from '../../src/adapters/store/provider-figures.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { Attempt } from '../../src/contracts/request.js';
import { createDao } from '../factories/access.js';
import { anAnswer, anEnding, aRequest } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const HOUR_MS = 3_600_000;
const ago = (ms: number): Date => new Date(Date.now() - ms);

const attempt = (provider: string, status: Attempt['status'], ms: number): Attempt => ({ provider, status, ms });

describe.each(DATABASES)('figures of providers on %s', (_name, open) => {
  let fresh: Fresh;
  let requests: RequestsRepository;
  let sut: ProviderFiguresRepository;

  beforeAll(async () => {
    fresh = await open();
    requests = new RequestsRepository(fresh.database);
    sut = new ProviderFiguresRepository(fresh.database);
    await createDao(fresh.database);
  });
  afterAll(() => fresh.drop());

  async function accepted(receivedAt = new Date()): Promise<string> {
    const request = aRequest({ receivedAt });
    await requests.accept(request);
    return request.id;
  }

  async function running(provider: string): Promise<string> {
    const id = await accepted();
    await fresh.database.all
      .updateTable('requests')
      .set({ status: 'running', provider, generation: 1 })
      .where('id', '=', id)
      .execute();
    return id;
  }

  async function answered(attempts: Attempt[], tokens: [number, number], receivedAt?: Date): Promise<void> {
    const id = await accepted(receivedAt);
    const usage = { prompt_tokens: tokens[0], completion_tokens: tokens[1], total_tokens: tokens[0] + tokens[1] };
    const provider = attempts.at(-1)?.provider ?? '';
    await fresh.database.all.updateTable('requests').set({ generation: 1 }).where('id', '=', id).execute();
    expect(await requests.recordAnswer(id, 'greenfood-dao', anAnswer({ provider, attempts, usage }))).toBe(true);
  }

  it('should be none where nothing was asked', async () => {
    expect(await sut.recent(null, new Date(0))).toEqual([]);
    expect(await sut.figures(new Date(0))).toEqual([]);
    expect((await sut.inFlight(null)).size).toBe(0);
  });

  it('should count calls and their outcomes of the time that is asked for', async () => {
    for (const ms of [100, 200, 300]) await answered([attempt('a', 'ok', ms)], [10, 20]);
    const chain = [attempt('a', 'failed', 9_000), attempt('c', 'skipped', 0), attempt('b', 'ok', 40)];
    await answered(chain, [30, 0]);
    await answered([attempt('a', 'ok', 60_000)], [999, 999], ago(HOUR_MS + 60_000));
    const failed = await accepted();
    const stopped: Attempt = { ...attempt('d', 'failed', 6), error: 'Cancelled' };
    const attempts = [attempt('d', 'failed', 5), attempt('d', 'failed', 7), stopped];
    await requests.recordEnding(failed, 'greenfood-dao', anEnding({ attempts }));

    const recent = (await sut.recent(null, ago(HOUR_MS))).toSorted((one, other) =>
      one.provider < other.provider ? -1 : 1,
    );
    expect(recent).toEqual([
      { provider: 'a', calls: 4, answered: 3, p50Ms: 200, p95Ms: expect.closeTo(290, 6) as unknown },
      { provider: 'b', calls: 1, answered: 1, p50Ms: 40, p95Ms: 40 },
      { provider: 'd', calls: 2, answered: 0, p50Ms: null, p95Ms: null },
    ]);
    expect((await sut.recent(null, ago(2 * HOUR_MS))).find(({ provider }) => provider === 'a')?.calls).toBe(5);
  });

  it('should know what an answer takes and uses on average', async () => {
    expect(await sut.figures(ago(HOUR_MS))).toEqual([
      { provider: 'a', calls: 3, p50Ms: 200, promptTokens: 10, completionTokens: 20 },
      { provider: 'b', calls: 1, p50Ms: 40, promptTokens: 30, completionTokens: 0 },
    ]);
  });

  it('should count what runs at the moment, and nothing that has ended', async () => {
    const ids = [await running('a'), await running('a'), await running('b')];
    await accepted();
    expect(await sut.inFlight(null)).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    await requests.recordEnding(ids[0] ?? '', 'greenfood-dao', anEnding());
    expect((await sut.inFlight(null)).get('a')).toBe(1);
  });
});
