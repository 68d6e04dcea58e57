import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { TestPostgres } from '../test/support/postgres.ts';
import { conduct } from './lib/conduct.mjs';
import { Aims } from './lib/aims.mjs';
import { spentBy } from './lib/children.mjs';
import { STEPS } from './lib/crews-crew.mjs';
import { judge, memoryTable, overheadOf, stepTable } from './lib/crews-figures.mjs';
import { startCrewAi, startDagi, startModel } from './lib/crews-parties.mjs';
import { Missing } from './lib/fetched-parts.mjs';
import { Figures } from './lib/openai-figures.mjs';

const HELP = `npm run bench -- crews [OPTIONS]

What a step of a crew takes beside the model's own time, beside CrewAI (PyPI), which is fetched into the cache of parts the
first time. Four agents do one task each, one after the other, with outputs after a schema; every step of the product is
durable. The model is a fake at the wire, the same for all, and keeps the ledger of the time that it took itself.

The parties take turns, each at 1 and 10 runs at once; p50 and p95 are over the runs of a turn, figures of several rounds
are medians over the rounds. Prints tables, then each aim with PASS or MISS; ends with 1 if one is missed.

  --rounds N      rounds (3)
  --runs N        runs of a turn for each at once (8)
  --at LIST       runs at once (1,10)
  --model-ms N    how long the model thinks over an answer; L,M: drawn between these (200)
  --shapes LIST   shapes of the product's model call (eager); the first is judged
  --no-head-start the product without head starts as well (limits.head_start: false)
  --postgres      the product on PostgreSQL as well as on the embedded database
  --no-crewai     the product alone
`;

/** Runs before the time begins: connections, caches, compiled code. */
const WARM_UP = { atOnce: 10, runs: 40 };
/** A turn ends after so long, whatever is left of its runs, in milliseconds. */
const TURN_LIMIT_MS = 240_000;

export async function main(args) {
  const values = read(args);
  if (values.help) return void process.stdout.write(HELP);
  await conduct(new CrewsBench(values));
}

function read(args) {
  const text = (fallback) => ({ type: 'string', default: fallback });
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    args,
    options: {
      ...{ rounds: text('3'), runs: text('8'), at: text('1,10'), 'model-ms': text('200'), shapes: text('eager') },
      ...{ postgres: flag, 'no-crewai': flag, 'no-head-start': flag, help: flag },
    },
  });
  const [least, most = least] = values['model-ms'].split(',').map(Number);
  return {
    ...{ help: values.help, postgres: values.postgres, isAlone: values['no-crewai'] },
    plain: values['no-head-start'],
    ...{ rounds: Number(values.rounds), runs: Number(values.runs), ats: values.at.split(',').map(Number) },
    ...{ shapes: values.shapes.split(','), thinkMs: [least, most] },
  };
}

const tell = (text) => process.stderr.write(`${text}\n`);

class CrewsBench {
  closers = [];
  parties = [];
  /** Parties that could not be had, with the reason. */
  missing = [];
  figures = new Figures();
  problems = new Map();

  constructor(options) {
    this.options = options;
  }

  async open() {
    const { thinkMs, shapes, postgres, plain, isAlone, ats } = this.options;
    this.model = await startModel(thinkMs);
    this.closers.push(() => this.model.stop());
    const { url } = this.model;
    for (const [index, shape] of shapes.entries()) {
      const name = index === 0 ? 'DAGI Stack' : `DAGI Stack, ${shape}`;
      const party = await this.join(startDagi(url, { name, shape }));
      this.product ??= party;
    }
    if (plain) await this.join(startDagi(url, { name: 'without head starts', shape: shapes[0], headStart: false }));
    if (postgres) await this.joinOnPostgres(url);
    if (!isAlone) await this.joinCrewAi(url, Math.max(WARM_UP.atOnce, ...ats));
  }

  async joinOnPostgres(url) {
    const server = await TestPostgres.start({ fsync: true });
    this.closers.push(() => server.stop());
    const [shape] = this.options.shapes;
    await this.join(startDagi(url, { name: 'DAGI Stack, PostgreSQL', shape, databaseUrl: server.url }));
  }

  async joinCrewAi(url, atOnce) {
    try {
      this.rival = await this.join(startCrewAi(url, { atOnce }, tell));
    } catch (error) {
      this.missing.push(`CrewAI ${error instanceof Missing ? 'is missing' : 'could not be started'}: ${error.message}`);
      tell(this.missing.at(-1));
    }
  }

  async join(starting) {
    const party = await starting;
    this.closers.push(() => party.stop());
    const { own, temporal } = spentBy(party.pid);
    const joined = { ...party, before: { own: own.megabytes, temporal: temporal.megabytes } };
    this.parties.push(joined);
    tell(`${party.name} is there`);
    return joined;
  }

  async run() {
    const { rounds, ats, runs } = this.options;
    for (const party of this.parties) await this.take(party, WARM_UP.atOnce, markersOf('warm', WARM_UP.runs));
    for (let round = 0; round < rounds; round += 1) {
      for (const at of ats) {
        await this.stage(round, at, markersOf(`r${round}-${at}`, runs * at));
        tell(`round ${round + 1} of ${rounds}, ${at} at once: done`);
      }
    }
  }

  /** All parties once, each in another place than in the round before. */
  async stage(round, at, markers) {
    const order = this.parties.map((_, index) => this.parties[(index + round) % this.parties.length]);
    for (const party of order) this.figures.add(party.name, at, 'run', await this.take(party, at, markers));
  }

  async take(party, atOnce, markers) {
    await this.model.reset();
    const before = spentBy(party.pid);
    const { calls, perSecond } = await party.take(markers, { atOnce, limitMs: TURN_LIMIT_MS });
    const after = spentBy(party.pid);
    const cpu = (of) => (after[of].cpuMs - before[of].cpuMs) / calls.size / STEPS;
    const problems = [...calls.values()].flatMap(({ problem }) => problem ?? []);
    if (problems.length > 0) this.problems.set(party.name, problems[0]);
    return {
      ...overheadOf(calls, await this.model.stats(), STEPS),
      ...{ stepsPerSecond: perSecond * STEPS, cpu: cpu('own'), temporal: cpu('temporal') },
      ...{ ownMb: after.own.megabytes, temporalMb: after.temporal.megabytes },
      ...{ runs: calls.size, failed: problems.length },
    };
  }

  report() {
    const { ats, rounds, thinkMs } = this.options;
    const { figures, parties, product, rival } = this;
    const write = (text) => process.stdout.write(`\n${text}\n`);
    write(
      `the model thinks ${[...new Set(thinkMs)].join(' to ')} ms over each answer; ${STEPS} steps a run, one after the other\n` +
        `${rounds} rounds in turn; ${cpus().length} cores, shared by all`,
    );
    write(stepTable(figures, parties, ats));
    write(memoryTable(figures, parties, ats));
    for (const line of this.missing) write(line);
    for (const [name, problem] of this.problems) write(`first failed run of ${name}: ${problem}`);
    const aims = new Aims();
    const against = this.options.isAlone ? undefined : (rival?.name ?? null);
    judge(aims, figures, { product: product.name, rival: against, ats, steps: STEPS });
    write(aims.toString());
    if (aims.missed > 0) process.exitCode = 1;
  }

  async close() {
    for (const close of this.closers.toReversed()) await close();
  }
}

const markersOf = (name, count) => Array.from({ length: count }, (_, index) => `${name}-${index}`);
