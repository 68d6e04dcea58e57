import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { conduct } from './lib/conduct.mjs';
import { Aims } from './lib/aims.mjs';
import { spentBy } from './lib/children.mjs';
import { Missing } from './lib/fetched-parts.mjs';
import { caller, turn } from './lib/openai-client.mjs';
import { added, addedTable, aloneTable, Figures, judge } from './lib/openai-figures.mjs';
import { startDagi, startLiteLlm, startModel, startPortkey } from './lib/openai-parties.mjs';
import { median, quantile, table } from './lib/stats.mjs';

const HELP = `npm run bench -- openai [OPTIONS]

What POST /v1/chat/completions adds to a model's endpoint, as a stream and not, beside open gateways that add nothing but
themselves: LiteLLM's proxy (PyPI, one worker, no database) and Portkey's (npm). They are fetched into the cache of parts
the first time. Every call of the product is durable.

All parties get the same requests, and for each request the model takes the same time, which is drawn for it: what a
party adds is measured in pairs. The parties take turns, each at 1, 10 and 50 callers at once; medians over the rounds.
Prints tables, then each aim with PASS or MISS; ends with 1 if one is missed.

  --rounds N        rounds (3)
  --seconds N       how long a turn is if a party adds nothing; it ends after twice the time (12)
  --at LIST         callers at once (1,10,50)
  --parties LIST    of dagi, litellm, portkey (all)
  --no-head-start   the product without head starts as well (limits.head_start: false)
  --model L,M,T,N   model: least and most ms to the first token, ms a token, tokens (100,300,5,40)
  --seed N          draws the model's times (1)
`;

/** Calls before the time begins, so many at once and with so many ways each: connections, caches, compiled code. */
const WARM_UP = { atOnce: 10, calls: 150 };
const WAYS = ['stream', 'whole'];

export async function main(args) {
  const values = read(args);
  if (values.help) return void process.stdout.write(HELP);
  await conduct(new OpenAiBench(values));
}

function read(args) {
  const text = (fallback) => ({ type: 'string', default: fallback });
  const { values } = parseArgs({
    args,
    options: {
      ...{ rounds: text('3'), seconds: text('12'), at: text('1,10,50'), parties: text('dagi,litellm,portkey') },
      ...{ model: text('100,300,5,40'), seed: text('1') },
      'no-head-start': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const parties = values.parties.split(',');
  const unknown = parties.find((name) => !['dagi', 'litellm', 'portkey'].includes(name));
  if (unknown !== undefined) throw new Error(`There is no party "${unknown}": see --help.`);
  const [least, most, tokenMs, tokens] = values.model.split(',').map(Number);
  return {
    ...{ help: values.help, parties, plain: values['no-head-start'] },
    ...{ rounds: Number(values.rounds), seconds: Number(values.seconds), ats: values.at.split(',').map(Number) },
    model: { firstMs: [least, most], tokenMs, tokens, seed: Number(values.seed) },
  };
}

const tell = (text) => process.stderr.write(`${text}\n`);

class OpenAiBench {
  closers = [];
  /** The model first: what the others add is told beside it. */
  parties = [];
  /** Parties that could not be had, with the reason. */
  missing = [];
  figures = new Figures();
  problems = new Map();

  constructor(options) {
    this.options = options;
  }

  async open() {
    const { model, parties, plain } = this.options;
    this.alone = this.join(await startModel(model));
    const { base } = this.alone;
    if (parties.includes('dagi')) this.product = this.join(await startDagi(base, { headStart: true }));
    if (plain) this.join(await startDagi(base, { headStart: false }));
    if (parties.includes('litellm')) this.rival = await this.joinIfThere('LiteLLM', () => startLiteLlm(base, tell));
    if (parties.includes('portkey')) await this.joinIfThere('Portkey', () => startPortkey(base, tell));
  }

  join(party) {
    this.closers.push(() => party.stop());
    const joined = { ...party, call: caller(party, this.options.model) };
    this.parties.push(joined);
    tell(`${party.name} is there`);
    return joined;
  }

  async joinIfThere(name, start) {
    try {
      return this.join(await start());
    } catch (error) {
      const why = error instanceof Missing ? 'is missing' : 'could not be started';
      this.missing.push(`${name} ${why}: ${error.message}`);
      tell(this.missing.at(-1));
      return undefined;
    }
  }

  async run() {
    const { rounds, ats } = this.options;
    for (const party of this.parties) {
      for (const way of WAYS) await this.take(party, WARM_UP.atOnce, way, markersOf(`warm-${way}`, WARM_UP.calls));
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const at of ats) {
        for (const way of WAYS) await this.stage(round, at, way);
        tell(`round ${round + 1} of ${rounds}, ${at} at once: done`);
      }
    }
  }

  /** All parties once, each in another place than in the round before. */
  async stage(round, at, way) {
    const markers = markersOf(`r${round}-${at}-${way}`, callsOf(this.options, at));
    const order = this.parties.map((_, index) => this.parties[(index + round) % this.parties.length]);
    const taken = new Map();
    for (const party of order) taken.set(party.name, await this.take(party, at, way, markers));
    const alone = taken.get(this.alone.name);
    for (const [name, one] of taken) {
      const times = name === this.alone.name ? ownTimes(one.calls) : added(one.calls, alone.calls);
      this.figures.add(name, at, way, { ...one, ...times });
    }
  }

  async take(party, atOnce, way, markers) {
    const before = spentBy(party.pid);
    const limitMs = this.options.seconds * 2_000;
    const { calls, perSecond } = await turn(party.call, markers, { atOnce, stream: way === 'stream', limitMs });
    const after = spentBy(party.pid);
    const cpu = (of) => (after[of].cpuMs - before[of].cpuMs) / calls.size;
    const problems = [...calls.values()].flatMap(({ problem }) => problem ?? []);
    if (problems.length > 0) this.problems.set(party.name, problems[0]);
    const late = await this.alone.timings();
    return {
      ...{ calls, perSecond, cpu: cpu('own'), temporal: cpu('temporal'), failed: problems.length },
      late: median(way === 'stream' ? late.first : late.last),
    };
  }

  report() {
    const { ats, rounds, model } = this.options;
    const { alone, figures, product, rival } = this;
    const others = this.parties.filter((party) => party !== alone);
    const write = (text) => process.stdout.write(`\n${text}\n`);
    write(
      `the model: first token after ${model.firstMs.join(' to ')} ms, drawn for each request, then ${model.tokens} tokens ` +
        `${model.tokenMs} ms apart; seed ${model.seed}\n${rounds} rounds in turn; ${cpus().length} cores, shared by all`,
    );
    write(aloneTable(figures, alone.name, ats));
    write(addedTable(figures, others, ats));
    write(memoryTable(others));
    for (const line of this.missing) write(line);
    for (const [name, problem] of this.problems) write(`first failed call of ${name}: ${problem}`);
    if (product === undefined) return;
    const aims = new Aims();
    const asked = this.options.parties.includes('litellm');
    judge(aims, figures, { product: product.name, rival: asked ? (rival?.name ?? null) : undefined, ats });
    write(aims.toString());
    if (aims.missed > 0) process.exitCode = 1;
  }

  async close() {
    for (const close of this.closers.toReversed()) await close();
  }
}

const markersOf = (name, count) => Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** Enough for the time that a turn is to take, if nothing were added. */
function callsOf({ seconds, model }, at) {
  const [least, most] = model.firstMs;
  const eachMs = (least + most) / 2 + model.tokens * model.tokenMs;
  return Math.max(10, Math.ceil((at * seconds * 1000) / eachMs));
}

function ownTimes(calls) {
  const all = (name) => [...calls.values()].map((call) => call[name]).filter(Number.isFinite);
  const of = (name) => ({ [`${name}50`]: median(all(name)), [`${name}95`]: quantile(all(name), 0.95) });
  return { ...of('first'), ...of('total') };
}

function memoryTable(parties) {
  const rows = parties.map(({ name, pid }) => {
    const { own, temporal } = spentBy(pid);
    return [name, own.megabytes.toFixed(0), temporal.megabytes > 0 ? temporal.megabytes.toFixed(0) : '–'];
  });
  return table(['memory at the end, MB', 'own', 'Temporal'], rows);
}
