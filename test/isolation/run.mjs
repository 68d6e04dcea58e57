#!/usr/bin/env node
// Non-interference: what one DAO sees does not depend on the data of another one.
import { parseArgs } from 'node:util';
import { table } from '../../bench/lib/stats.mjs';
import { NEVER_LET_IN, NOT_PLAYED, OPERATIONS } from './lib/operations.mjs';
import { playPair } from './lib/pair.mjs';
import { PLANT_NAMES } from './lib/plants.mjs';

const HELP = `npm run isolation [-- OPTIONS]

Two DAOs work in one installation, by chance: members, roles, invitations, keys, facts, chats, the record. The same is
played in a second world in which the other DAO has other people, other facts, other limits and does other things. Every
byte that the first one sees must be the same in both. Time and chance are the run's own, the database's too, so not even
ids and moments differ. Exit code 1 at the first difference, which is shown.

  --operations N   operations in each world (100000)
  --episode N      operations after which both worlds begin anew (5000)
  --seed N         which operations (1)
  --from N         the first of them, where an episode begins: to repeat one alone (0)
  --plant NAME     makes a mistake in both worlds, which has to be found: ${PLANT_NAMES.join(', ')}, or all, one after the other
`;

const PROGRESS_MS = 5_000;
/** So many operations that each kind has been let in at least once. */
const ENOUGH = 20_000;

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    episode: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    plant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function progressFrom(began, operations) {
  let told = began;
  return (done) => {
    const now = performance.now();
    if (now - told < PROGRESS_MS && done < operations) return;
    told = now;
    const rate = done / ((now - began) / 1_000);
    console.error(
      `${done} of ${operations} operations, ${rate.toFixed(0)} a second, ${((operations - done) / rate).toFixed(0)} s to go`,
    );
  };
}

async function play(planted) {
  const [operations, episode, seed, from] = [values.operations, values.episode, values.seed, values.from].map(Number);
  const began = performance.now();
  const result = await playPair({
    from,
    operations,
    episode,
    seed,
    planted,
    progress: progressFrom(began, operations),
  });
  return { ...result, seconds: (performance.now() - began) / 1_000 };
}

function show({ n, one, other }) {
  const at = [...one.seen].findIndex((sign, index) => sign !== other.seen[index]);
  const part = (text) => text.slice(Math.max(0, at - 200), at + 400);
  console.log(`Operation ${n} differs: ${one.name}\n${JSON.stringify(one.call)}\n`);
  console.log(`in the first world:\n…${part(one.seen)}\n\nin the second:\n…${part(other.seen)}`);
}

/** Routes that nobody thought of, and operations that were never let in: what was not played proves nothing. */
function gaps({ routes, counts }, operations) {
  const played = (name) => name in OPERATIONS || name in NOT_PLAYED;
  const strange = routes.filter((name) => !/^(HEAD|OPTIONS) | \/(docs|openapi)/.test(name) && !played(name));
  const never =
    operations < ENOUGH
      ? []
      : Object.keys(OPERATIONS).filter((name) => !(name in NEVER_LET_IN) && !counts[name]?.letIn);
  return [...strange.map((name) => `${name} is not played`), ...never.map((name) => `${name} was never let in`)];
}

async function prove() {
  const result = await play();
  const rows = Object.entries(result.counts).toSorted(([a], [b]) => a.localeCompare(b));
  console.log(
    table(
      ['operation', 'first DAO', 'let in', 'second DAO'],
      rows.map(([name, { first, letIn, second }]) => [name, first, letIn, second]),
    ),
  );
  const missing = gaps(result, Number(values.operations));
  missing.forEach((line) => console.log(line));
  if (result.difference) show(result.difference);
  else
    console.log(
      `\n${values.operations} operations, seed ${values.seed}: no difference, ${result.seconds.toFixed(0)} s`,
    );
  return !result.difference && missing.length === 0;
}

/** @returns whether each mistake was found */
async function find(names) {
  let all = true;
  for (const name of names) {
    const { difference, seconds } = await play(name);
    all &&= difference !== undefined;
    const found = difference
      ? `found at operation ${difference.n} (${difference.one.name}), ${seconds.toFixed(0)} s`
      : 'not found';
    console.log(`${name}: ${found}`);
  }
  return all;
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  const { plant } = values;
  const good = plant === undefined ? await prove() : await find(plant === 'all' ? PLANT_NAMES : [plant]);
  process.exit(good ? 0 : 1);
}
