import { between } from './seed.mjs';

/**
 * Moments of a step or gate at which something is killed, and how long after them at most, in milliseconds.
 * `begun`: the model was asked. `answered`: it has said all, which is written down about now. `opened`: a tool is about
 * to be used. `ended`: the result is recorded. `asked`: people are waited for, who decide after the kill. `sent`: the
 * approval is on its way. `decided`: it is applied, and whoever approved has hardly heard of it.
 */
const MOMENTS = {
  model: [
    { moment: 'begun', most: 350 },
    { moment: 'answered', most: 20 },
    { moment: 'ended', most: 40 },
  ],
  tool: [
    { moment: 'opened', most: 40 },
    { moment: 'ended', most: 40 },
  ],
  gate: [
    { moment: 'asked', most: 400 },
    { moment: 'sent', most: 100 },
    { moment: 'decided', most: 4 },
  ],
};

/** `one`: of API and worker the one that is at it, or either where nobody is. */
const KINDS = ['one', 'product', 'one', 'temporal'];

const shuffled = (random, list) =>
  list
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);

/**
 * Where the runs are hit: once in a round at each step, and at each moment of each gate, in an order of the seed's.
 * @param found what the quiet runs did: `{play, steps: [{key, kind}], gates: [key]}`
 */
export function planTargets(found, { random, rounds }) {
  const places = found.flatMap(({ play, steps, gates }) => [
    ...steps.map(({ key, kind }) => ({ play, key, kind })),
    ...gates.flatMap((key) => MOMENTS.gate.map((at) => ({ play, key, kind: 'gate', ...at }))),
  ]);
  const all = Array.from({ length: rounds }, () => shuffled(random, places)).flat();
  return all.map((place, index) => {
    const { moment, most } = place.moment ? place : drawn(random, MOMENTS[place.kind]);
    return {
      ...place,
      moment,
      victim: KINDS[index % KINDS.length],
      either: random() < 0.5 ? 'api' : 'worker',
      after: between(random, 0, most),
      down: between(random, 100, 1_200),
    };
  });
}

const drawn = (random, list) => list[between(random, 0, list.length)];

/** Which process is killed. @param holder the one that is at the step, if any is */
export const victimOf = ({ victim, either, kind }, holder) => {
  if (victim !== 'one') return victim;
  // Whoever takes the approval is the API.
  return holder ?? (kind === 'gate' ? 'api' : either);
};
