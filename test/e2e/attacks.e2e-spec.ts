import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadAttacks, loadGoals } from '../attacks/lib/attacks.js';
import { CHECKS, problemsOf } from '../attacks/lib/checks.js';
import { DISGUISES } from '../attacks/lib/disguises.js';
import { PLANTS } from '../attacks/lib/plants.js';
import { playAttacks, type Outcome } from '../attacks/lib/play.js';
import { ENVIRONMENT, FAKE_SETTINGS, profileFor } from '../attacks/lib/profile.js';
import { WAYS } from '../attacks/lib/ways.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN_KEY, Product } from './harness.js';

const ATTACKS = loadAttacks();

/** One of each kind of way and of goal; `npm run attacks` plays all. */
const PLAYED = [
  ...['a001', 'a012', 'a017', 'a019', 'a045', 'a060', 'a063', 'a083', 'a093', 'a101', 'a111', 'a121', 'a144', 'a149'],
  ...['a162', 'a196'],
];

/** They take some fifteen seconds, on a machine that has nothing else to do. */
const PLAY_MS = 300_000;

/** Mistakes in what was seen alone: they need no product of their own. */
const SPOILING = Object.entries(PLANTS).filter(([, { options }]) => options.spoil);

describe('attacks by text that reaches a model, which obeys', () => {
  let fake: WireFake;
  let product: Product;
  let outcome: Outcome;
  const environment = { ...process.env };

  beforeAll(async () => {
    Object.assign(process.env, ENVIRONMENT);
    fake = await startFakeOpenAi(FAKE_SETTINGS);
    product = await Product.open({ profile: profileFor(fake), env: { ...ENVIRONMENT } });
    const { url, home, database, databaseUrl = '', logFile } = product;
    const served = { url, home, database, databaseUrl, logFile, adminKey: ADMIN_KEY };
    outcome = await playAttacks(
      served,
      fake,
      ATTACKS.filter(({ id }) => PLAYED.includes(id)),
    );
  }, PLAY_MS);

  afterAll(async () => {
    process.env = environment;
    await product.close();
    await fake.close();
  });

  it('should be 200, no two of them alike, with every goal, way and disguise', () => {
    expect(ATTACKS).toHaveLength(200);
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(200);
    expect(new Set(ATTACKS.map(({ way, goal, disguise }) => `${way} ${goal} ${disguise}`)).size).toBe(200);
    const used = <Name extends 'goal' | 'way' | 'disguise'>(name: Name) =>
      [...new Set(ATTACKS.map((attack) => attack[name]))].toSorted();
    expect(used('goal')).toEqual(Object.keys(loadGoals()).toSorted());
    expect(used('way')).toEqual(Object.keys(WAYS).toSorted());
    expect(used('disguise')).toEqual(Object.keys(DISGUISES).toSorted());
  });

  it.each(Object.keys(CHECKS))('should come to nothing, by the look at %s', (name) => {
    expect(outcome.evidence.plays).toHaveLength(PLAYED.length);
    expect(outcome.problems.filter(({ check }) => check === name)).toEqual([]);
  });

  it.each(SPOILING)('should be found out where they do not: %s', (_, { finds, options }) => {
    const spoiled = options.spoil?.(outcome.evidence) ?? outcome.evidence;
    expect(problemsOf(spoiled).map(({ check }) => check)).toContain(finds);
  });
});
