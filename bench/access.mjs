import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { randomFrom } from '../test/chaos/lib/seed.mjs';
import { measureCost, measureThroughput, ratio } from './lib/access-cost.mjs';
import { measureResolution, spread } from './lib/access-resolution.mjs';
import { onEmbedded, onPostgres } from './lib/access-stage.mjs';
import { Aims } from './lib/aims.mjs';
import { median, table } from './lib/stats.mjs';

const HELP = `npm run bench -- access [OPTIONS]

Who may do what, asked of the service: in PostgreSQL with many DAOs and members, and in the embedded database with ten
DAOs. Then what row-level security costs a request: the same statements in turns over connections of the owner, whom no
policy binds, over the product's handles, and with a SET LOCAL in a transaction around each. Ends with 1 if an aim is missed.

  --daos N        DAOs in PostgreSQL (1000)
  --members N     members of each; a tenth has two ids (100)
  --questions N   questions of each row (10000)
  --changes N     persons whose role is taken and given back (250)
  --rounds N      rounds of the comparison, of which medians are taken (9)
  --pairs N       pairs of requests of each way in each round (150)
  --seed N        whom the questions are about (5)
  --only NAME     postgres or embedded
`;

const AIM_MS = 100;
const EMBEDDED_DAOS = 10;
const EMBEDDED_AT_ONCE = 11;
const number = (fallback) => ({ type: 'string', default: String(fallback) });

export async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      daos: number(1_000),
      members: number(100),
      questions: number(10_000),
      changes: number(250),
      rounds: number(9),
      pairs: number(150),
      seed: number(5),
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const { only, ...rest } = values;
  const given = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Number(value)]));
  const [cpu] = cpus();
  console.log(
    `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
  );
  const aims = new Aims();
  if (only !== 'embedded') await bench(onPostgres, given, aims);
  if (only !== 'postgres') await bench(onEmbedded, { ...given, daos: Math.min(EMBEDDED_DAOS, given.daos) }, aims);
  console.log(`\n${aims}`);
  if (aims.missed > 0) process.exitCode = 1;
}

async function bench(open, given, aims) {
  const size = { daos: given.daos, members: given.members };
  const options = { ...given, random: randomFrom(given.seed) };
  const began = performance.now();
  const stage = await open(size);
  try {
    const took = ((performance.now() - began) / 1_000).toFixed(1);
    console.log(
      `\n${stage.name}: ${size.daos} DAOs, ${size.daos * size.members} members with ${stage.identities} ids (opened and filled in ${took} s)\n`,
    );
    printResolution(stage, await measureResolution(stage, size, options), aims);
    printCost(await measureCost(stage, size, options));
    if (stage.url) printThroughput(await measureThroughput(stage, size, options));
  } finally {
    await stage.close();
  }
}

const fixed = (value) => value.toFixed(2);

function printResolution(stage, rows, aims) {
  console.log(
    table(
      ['rights of a person', 'at once', 'questions', 'P50, ms', 'P95, ms', 'P99, ms', 'most, ms', 'a second', 'wrong'],
      rows.map(({ name, atOnce, times, perSecond, wrong }) => [
        ...[name, atOnce, times.length, ...spread(times).map(fixed), fixed(Math.max(...times))],
        ...[Math.round(perSecond), wrong],
      ]),
    ),
  );
  // The embedded database has one session for everybody: fifty at once is what it is not for.
  const aimed = rows.filter(({ atOnce }) => stage.url || atOnce <= EMBEDDED_AT_ONCE);
  const p99 = Math.max(...aimed.map(({ times }) => spread(times)[2]));
  const wrong = rows.reduce((sum, row) => sum + row.wrong, 0);
  const which = stage.url ? 'P99 of every row' : 'P99 of every row up to eleven at once';
  aims.check(`${stage.name}: ${which}`, `below ${AIM_MS} ms`, p99 < AIM_MS, `${fixed(p99)} ms`);
  aims.check(`${stage.name}: answers that were not true`, 'none', wrong === 0, String(wrong));
}

function printCost(ways) {
  const [owner] = ways;
  const more = (way, figure) => `${((ratio(way[figure], owner[figure]) - 1) * 100).toFixed(0)} %`;
  const range = (list) => `${fixed(Math.min(...list))} to ${fixed(Math.max(...list))}`;
  console.log(
    `\n${table(
      ['one at a time', 'look-up, ms', 'more', 'request, ms', 'its rounds', 'more'],
      ways.map((way) => [
        ...[way.name, fixed(median(way.lookUp)), more(way, 'lookUp')],
        ...[fixed(median(way.request)), range(way.request), more(way, 'request')],
      ]),
    )}`,
  );
}

function printThroughput(ways) {
  const [owner] = ways;
  console.log(
    `\n${table(
      ['ten at once, DAOs at random', 'requests a second', 'of the owner’s', 'P99, ms'],
      ways.map((way) => [
        ...[way.name, Math.round(median(way.perSecond))],
        ...[`${(ratio(way.perSecond, owner.perSecond) * 100).toFixed(0)} %`, fixed(median(way.p99))],
      ]),
    )}`,
  );
}
