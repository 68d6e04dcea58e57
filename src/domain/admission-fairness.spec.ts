import { describe, expect, it } from '@jest/globals';
import {
  erlang,
  jain,
  quantile,
  seeded,
  simulateLoad,
  type Served,
  type SimulatedUser,
  type SimulationOptions,
} from '../../test/support/pool-simulation.js';

const MEAN_MS = 3_000;
/** Only what was asked after this counts where the steady state is judged, in milliseconds. */
const WARM_MS = 120_000;

const users = (
  daoId: string,
  count: number,
  thinkMs: () => number,
  rest: Partial<SimulatedUser> = {},
): SimulatedUser[] => Array.from({ length: count }, () => ({ daoId, thinkMs, ...rest }));
const busy = (random: () => number): (() => number) => erlang(random, 500, 1);

function play(seed: number, load: (random: () => number) => SimulatedUser[], rest: Partial<SimulationOptions> = {}) {
  const random = seeded(seed);
  return simulateLoad({
    pool: { name: 'pool', slots: 3, maxWaiting: 100, maxWaitMs: 55_000 },
    ...{ users: load(random), serviceMs: erlang(random, MEAN_MS, 4), deadlineMs: 55_000, untilMs: 480_000 },
    ...rest,
  });
}

const perWeight = (served: readonly Served[]): number[] => {
  const daos = [...new Set(served.map(({ daoId }) => daoId))];
  return daos.map((dao) => served.reduce((sum, one) => sum + (one.daoId === dao ? one.serviceMs / one.weight : 0), 0));
};
const medianError = (served: readonly Served[]): number =>
  quantile(
    served.flatMap(({ promisedMs, waitedMs }) =>
      promisedMs === undefined ? [] : [Math.abs(promisedMs - waitedMs) / Math.max(1, waitedMs)],
    ),
    0.5,
  );

describe.each([1])('fairness in seconds (seed %i)', (seed) => {
  it('serves greedy DAOs by their weights, whatever the number of their requests', () => {
    const { served } = play(seed, () => [
      ...users('a', 10, () => 1),
      ...users('b', 20, () => 1, { weight: 2 }),
      ...users('c', 40, () => 1),
      ...users('d', 15, () => 1, { weight: 0.5 }),
    ]);
    expect(jain(perWeight(served))).toBeGreaterThanOrEqual(0.95);
  });

  it('lets a flood of one DAO starve none of four others', () => {
    const { served, longest } = play(seed, (random) => [
      ...users('flood', 80, busy(random)),
      ...['b', 'c', 'd', 'e'].flatMap((dao) => users(dao, 5, busy(random))),
    ]);
    expect(jain(perWeight(served))).toBeGreaterThanOrEqual(0.95);
    expect(longest).toBeLessThanOrEqual(100);
  });

  it('makes a light DAO wait at most two service times while another floods', () => {
    const { served } = play(seed, (random) => [
      ...users('flood', 80, busy(random)),
      ...users('light', 2, erlang(random, 20_000, 1)),
    ]);
    const light = served.filter(({ daoId }) => daoId === 'light').map(({ waitedMs }) => waitedMs);
    expect(light.length).toBeGreaterThan(20);
    expect(quantile(light, 0.95)).toBeLessThanOrEqual(2 * MEAN_MS);
  });

  it('lets in who comes back when it was told to', () => {
    const { cameBack } = play(seed, (random) => [
      ...users('flood', 80, () => 1),
      ...['b', 'c', 'd', 'e'].flatMap((dao) => users(dao, 5, erlang(random, 60_000, 1))),
    ]);
    expect(cameBack.length).toBeGreaterThan(50);
    expect(cameBack.filter(({ letIn }) => letIn).length / cameBack.length).toBeGreaterThanOrEqual(0.9);
  });

  it('keeps the slots at work while those who were sent away stay away', () => {
    // Each asks once, and whoever is refused does not come back before the end.
    const once = (): (() => number) => {
      let asked = false;
      return () => {
        const pause = asked ? 1e9 : 1;
        asked = true;
        return pause;
      };
    };
    const crowd = Array.from({ length: 200 }, () => users('a', 1, once())).flat();
    const { served } = play(seed, () => crowd, { untilMs: 40_000 });
    const worked = served.reduce((sum, { serviceMs }) => sum + serviceMs, 0);
    expect(worked / (3 * 40_000)).toBeGreaterThan(0.8);
  });

  it('is fair in seconds where calls of one DAO are long and those of another short', () => {
    const random = seeded(seed);
    const [long, short] = [erlang(random, 8_000, 4), erlang(random, 1_000, 4)];
    const { served } = play(seed, () => [...users('a', 15, () => 1), ...users('b', 15, () => 1)], {
      serviceMs: ({ daoId }) => (daoId === 'a' ? long() : short()),
      deadlineMs: 200_000,
    });
    expect(jain(perWeight(served))).toBeGreaterThanOrEqual(0.95);
  });
});

describe.each([2])('promises (seed %i)', (seed) => {
  it.each([
    ['ten members of one DAO', (random: () => number) => users('a', 10, busy(random))],
    ['forty members of one DAO', (random: () => number) => users('a', 40, busy(random))],
    [
      'five DAOs of which one sends most',
      (random: () => number) => [
        ...users('flood', 80, busy(random)),
        ...['b', 'c', 'd', 'e'].flatMap((dao) => users(dao, 5, busy(random))),
      ],
    ],
  ])('are kept with a median error below a quarter: %s', (_name, load) => {
    const { served } = play(seed, load);
    expect(medianError(served.filter(({ enteredAt }) => enteredAt > WARM_MS))).toBeLessThan(0.25);
  });

  it('learn how much others come in before: the promises of a DAO that floods are kept, too', () => {
    const { served } = play(
      seed,
      (random) => [
        ...users('flood', 30, busy(random)),
        ...['b', 'c', 'd', 'e'].flatMap((dao) => users(dao, 2, busy(random))),
      ],
      {
        pool: { name: 'pool', slots: 3, maxWaiting: 100, maxWaitMs: 600_000 },
        ...{ deadlineMs: 600_000, untilMs: 1_800_000 },
      },
    );
    const flood = served.filter(({ daoId, enteredAt }) => daoId === 'flood' && enteredAt > 600_000);
    expect(flood.length).toBeGreaterThan(50);
    expect(medianError(flood)).toBeLessThan(0.25);
  });

  it('hold for a burst that nobody follows', () => {
    const { served } = play(seed, () => users('a', 40, () => 1e6), { untilMs: 1e6 + 120_000 });
    expect(served.length).toBeGreaterThan(20);
    const later = served.filter(({ promisedMs }) => promisedMs !== undefined);
    expect(medianError(later)).toBeLessThan(0.25);
  });
});
