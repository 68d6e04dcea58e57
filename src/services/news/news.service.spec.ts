import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { strict } from '../../../test/factories/strict.js';
import { until } from '../../../test/support/until.js';
import type { ToPoke } from '../../contracts/news.js';
import type { NewsRepository, Round } from '../../adapters/store/news.repository.js';
import { AppError } from '../../errors/app-error.js';
import { NewsService, type NewsClock } from './news.service.js';

const log = pino({ level: 'silent' });

const aRound = (chats: number): Round => ({
  ...{ newsId: 'n1', version: 1, isLast: true },
  chats: Array.from({ length: chats }, (_, at): ToPoke => ({
    id: `d${at}`,
    address: { source: 'tg', chat: String(at), topic: '' },
  })),
});

interface Scene {
  news?: Partial<NewsRepository>;
  clock?: Partial<NewsClock>;
  isOn?: boolean;
}

function aService({ news = {}, clock = {}, isOn = true }: Scene): {
  service: NewsService;
  changed: (daoId: string) => void;
} {
  let changed: (daoId: string) => void = () => undefined;
  const service = new NewsService({
    news: strict<NewsRepository>('news', { onChange: (listener) => void (changed = listener), ...news }),
    clock: strict<NewsClock>('clock', clock),
    ...{ isOn: () => isOn, log },
  });
  return { service, changed: (daoId) => changed(daoId) };
}

describe('a step of spreading', () => {
  it('should tell chats a few at a time, and write that down when all of them were told', async () => {
    let [atOnce, most] = [0, 0];
    const told: string[] = [];
    const { service } = aService({
      news: {
        spreadNext: () => Promise.resolve(true),
        nextRound: () => Promise.resolve(aRound(12)),
        endRound: () => Promise.resolve(void told.push('end')),
      },
      clock: {
        pokeDialog: async ({ chat }, lane) => {
          most = Math.max(most, (atOnce += 1));
          await Promise.resolve();
          atOnce -= 1;
          told.push(`${chat} ${lane}`);
        },
      },
    });
    expect(await service.step('dao')).toEqual({ isMore: true, waitMs: null });
    expect(told).toEqual([...Array.from({ length: 12 }, (_, at) => `${at} turn`), 'end']);
    expect(most).toBe(5);
  });

  it('should write nothing down where a chat could not be told', async () => {
    const away = new AppError('TEMPORAL_UNAVAILABLE');
    const { service } = aService({
      news: { spreadNext: () => Promise.resolve(false), nextRound: () => Promise.resolve(aRound(1)) },
      clock: { pokeDialog: () => Promise.reject(away) },
    });
    await expect(service.step('dao')).rejects.toBe(away);
  });

  it.each([
    [true, { isMore: true, waitMs: null }],
    [false, { isMore: false, waitMs: 2_000 }],
  ])('should say what is next (others to spread: %s)', async (isMore, step) => {
    const { service } = aService({
      news: {
        spreadNext: () => Promise.resolve(isMore),
        nextRound: () => Promise.resolve(undefined),
        roundIn: () => Promise.resolve(2_000),
      },
    });
    expect(await service.step('dao')).toEqual(step);
  });
});

describe('a change of a DAO', () => {
  it('should wake its news once, however many changes there are, where there is any', async () => {
    const [looked, poked]: [string[], string[]] = [[], []];
    const { changed } = aService({
      news: { isPending: (daoId) => Promise.resolve(looked.push(daoId) > 0 && daoId === 'a') },
      clock: { pokeNews: (daoId) => Promise.resolve(void poked.push(daoId)) },
    });
    for (const dao of ['a', 'a', 'b', 'a']) changed(dao);
    await until(() => looked.length === 2);
    await until(() => poked.length === 1);
    expect([looked.toSorted(), poked]).toEqual([['a', 'b'], ['a']]);
    changed('a');
    await until(() => poked.length === 2);
  });

  it('should fail nobody', async () => {
    let looked = 0;
    const { changed } = aService({
      news: {
        isPending: () => Promise.reject(new AppError('STORE_UNAVAILABLE')).finally(() => (looked += 1)),
      },
    });
    changed('a');
    await until(() => looked === 1);
  });
});

describe('the sweep', () => {
  it('should find what follows from the time, and wake what nobody spread', async () => {
    const done: string[] = [];
    const note = (what: string) => () => Promise.resolve(void done.push(what));
    const { service } = aService({
      news: { forgetOld: note('forget'), derive: note('derive'), overdue: () => Promise.resolve(['a', 'b']) },
      clock: { pokeNews: (daoId) => Promise.resolve(void done.push(daoId)) },
    });
    await service.sweep();
    expect(done).toEqual(['forget', 'derive', 'a', 'b']);
  });

  it('should spread nothing where nobody writes', async () => {
    let forgotten = 0;
    const { service, changed } = aService({
      news: { forgetOld: () => Promise.resolve(void (forgotten += 1)) },
      isOn: false,
    });
    changed('a');
    await service.sweep();
    expect(forgotten).toBe(1);
  });
});
