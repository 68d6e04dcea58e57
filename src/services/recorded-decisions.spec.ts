import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aRecorded } from '../../test/factories/recorded.js';
import { aTable } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { DecisionCursor } from '../adapters/store/recorded-decisions.js';
import type { RefusalsRepository } from '../adapters/store/refusals.repository.js';
import type { RequestsRepository } from '../adapters/store/requests.repository.js';
import type { RecordedDecision } from '../contracts/whatif.js';
import { RecordedDecisions, TRIAL_RULE } from './recorded-decisions.js';

const TABLE = aTable();
const TRIALS = aTable([{ name: TRIAL_RULE }]);

/** That many of a kind, newest first, one a second. */
const many = (kind: string, count: number, table = TABLE): RecordedDecision[] =>
  Array.from({ length: count }, (_, age) =>
    aRecorded(table, {}, { id: `${kind} ${age}`, at: new Date(1_000_000 - age * 1_000) }),
  );

/** Pages as the database gives them: in their order, or dealt, which is asked for by a place. */
const pages =
  (all: readonly RecordedDecision[], dealt = all) =>
  (since: Date, after: DecisionCursor | undefined, limit: number): Promise<RecordedDecision[]> => {
    if (after && 'before' in after) {
      return Promise.resolve(dealt.filter(({ at }) => at <= after.until).slice(after.before, after.before + limit));
    }
    const first = after ? all.findIndex(({ id }) => id === after.id) + 1 : 0;
    return Promise.resolve(all.filter(({ at }) => at >= since).slice(first, first + limit));
  };

const from = (accepted: RecordedDecision[], refused: RecordedDecision[]): RecordedDecisions =>
  new RecordedDecisions(
    strict<RequestsRepository>('requests', { decided: pages(accepted) }),
    strict<RefusalsRepository>('refusals', { page: pages(refused) }),
  );

async function newest(recorded: RecordedDecisions, limit: number, since?: Date): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of recorded.newest(limit, since)) ids.push(...page.map(({ id }) => id));
  return ids;
}

describe('RecordedDecisions', () => {
  it('gives the newest of both, at most half of them refusals, whatever there is', async () => {
    const counts = fc.record({
      accepted: fc.nat({ max: 600 }),
      refused: fc.nat({ max: 600 }),
      limit: fc.integer({ min: 1, max: 700 }),
    });
    await fc.assert(
      fc.asyncProperty(counts, async ({ accepted, refused, limit }) => {
        const ids = await newest(from(many('accepted', accepted), many('refused', refused)), limit);
        const refusals = Math.min(refused, Math.floor(limit / 2));
        const expected = [...many('refused', refusals), ...many('accepted', Math.min(accepted, limit - refusals))].map(
          ({ id }) => id,
        );
        expect(ids).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('gives none that is older than asked', async () => {
    const recorded = from(many('accepted', 10), many('refused', 10));
    expect(await newest(recorded, 100, new Date(1_000_000 - 1_000))).toEqual([
      'refused 0',
      'refused 1',
      'accepted 0',
      'accepted 1',
    ]);
  });

  it('passes over trials, and fills up with others', async () => {
    const mixed = [...many('trial', 300, TRIALS), ...many('accepted', 300)];
    const ids = await newest(from(mixed, []), 200);
    expect(ids).toEqual(many('accepted', 200).map(({ id }) => id));
  });

  it('deals both out page by page, each decision once, at most half of them refusals, without trials', async () => {
    const dealt = [...many('trial', 30, TRIALS), ...many('dealt', 500)];
    const recorded = new RecordedDecisions(
      strict<RequestsRepository>('requests', { decided: pages([], dealt) }),
      strict<RefusalsRepository>('refusals', { page: pages([], many('refused', 400)) }),
    );
    const ids: string[] = [];
    for await (const page of recorded.dealt(501)) {
      expect(page.length).toBeLessThanOrEqual(100);
      ids.push(...page.map(({ id }) => id));
    }
    expect(ids).toEqual([...many('refused', 250), ...many('dealt', 251)].map(({ id }) => id));
    const early: string[] = [];
    for await (const page of recorded.dealt(10, { until: new Date(1_000_000 - 498_000) }))
      early.push(...page.map(({ id }) => id));
    // What came in since reading began is of no account.
    expect(early).toEqual(['dealt 498', 'dealt 499']);
  });

  it('finds those that are asked for, as far as they are there', async () => {
    const recorded = from(many('accepted', 600), many('refused', 5));
    const found = await recorded.find(new Set(['accepted 1', 'accepted 400', 'refused 1', 'accepted 599']), 500);
    expect(found.map(({ id }) => id)).toEqual(['accepted 1', 'accepted 400']);
  });
});
