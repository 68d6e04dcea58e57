#!/usr/bin/env node
// A long run of clients who come, go and dawdle: nothing may grow, and nothing may be left when they are gone.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Aims } from '../../bench/lib/aims.mjs';
import { quantile } from '../../bench/lib/stats.mjs';
import { exchange } from './lib/client.mjs';
import { planFor } from './lib/plan.mjs';
import { Stage } from './lib/stage.mjs';
import { Watch } from './lib/watch.mjs';

const HELP = `npm run soak -- [OPTIONS]

Clients of /v1/chat/completions at once, each asking again when it is answered: most of them as streams, some in one,
some for calls of tools, some reading slowly. Nearly a third goes away: before the first token, in the middle, or right at
the end. One model has no limit, the other is an Ollama host with its cap of three. Each minute is told how the product
does; at the end it is judged: memory and open files do not grow, nothing is left under way, each model was free within a
second of its client's leaving, and whoever stayed got the whole answer. Ends with 1 if anything fails.

  --minutes N    how long (30)
  --streams N    clients at once (10)
  --seed N       repeats what they ask and when they leave (drawn, and printed)
  --quiet N      seconds in which nobody asks, before what is left is counted (60)
  --postgres     the product on PostgreSQL instead of the embedded database
`;

const FREED_MS = 1_000;
/** How many of those that were late are shown. */
const SHOWN = 20;
/** Calls of each stream before the time begins: code is compiled and connections are made. */
const WARM_UP = 3;
const MAY_GROW = { rss: 15, files: 10 };

const text = (fallback) => ({ type: 'string', ...(fallback && { default: fallback }) });
const flag = { type: 'boolean', default: false };
const { values } = parseArgs({
  options: { minutes: text('30'), streams: text('10'), seed: text(), quiet: text('60'), postgres: flag, help: flag },
});
async function main() {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const [minutes, streams] = [Number(values.minutes), Number(values.streams)];
  process.stdout.write(`seed ${seed}: ${streams} streams for ${minutes} min\n`);
  const stage = new Stage();
  try {
    await stage.open({ seed, postgres: values.postgres });
    return await new Soak(stage, { seed, minutes, streams, quiet: Number(values.quiet) }).run();
  } finally {
    await stage.close();
  }
}

class Soak {
  counts = { answered: 0, left: 0, failed: 0 };
  problems = new Map();
  over = false;

  constructor(stage, options) {
    Object.assign(this, { stage, options, watch: new Watch(stage) });
    this.door = { url: stage.product.url, key: stage.memberKey };
  }

  async run() {
    const { minutes, streams } = this.options;
    await Promise.all(Array.from({ length: streams }, (_, index) => this.warmUp(index)));
    this.began = Date.now();
    const stop = new AbortController();
    const lives = Array.from({ length: streams }, (_, index) => this.life(index));
    const watching = this.watch.run(stop.signal);
    const telling = setInterval(() => this.tell(), 60_000);
    // A stage that breaks ends the run, not only its own part of it.
    await Promise.race([sleep(minutes * 60_000), watching.then(() => undefined), Promise.all(lives)]);
    this.over = true;
    clearInterval(telling);
    await Promise.all(lives);
    stop.abort();
    await watching;
    this.tell();
    return this.judge(await this.rest());
  }

  /** Nobody leaves, and nothing counts. */
  async warmUp(index) {
    const next = planFor(this.options.seed, 1_000 + index);
    for (let number = 0; number < WARM_UP; number += 1) {
      await exchange(this.door, { ...next(), marker: `w${index}-${number}`, leave: undefined }, () => undefined);
    }
  }

  async life(index) {
    const next = planFor(this.options.seed, index);
    while (!this.over) {
      const ask = next();
      const model = this.stage.models[ask.model];
      const { outcome, problem } = await exchange(this.door, ask, () => model.clientLeft(ask));
      this.counts[outcome] += 1;
      if (problem !== undefined) this.problems.set(problem, (this.problems.get(problem) ?? 0) + 1);
      await sleep(ask.restMs);
    }
  }

  tell() {
    const { answered, left, failed } = this.counts;
    const one = this.watch.samples.at(-1);
    const minutes = ((Date.now() - this.began) / 60_000).toFixed(1);
    process.stdout.write(
      `${minutes} min: answered ${answered}, left ${left}, failed ${failed}; ${one.rss.toFixed(0)} MB, ${one.files} files, ` +
        `${workText(one)}\n`,
    );
  }

  /** Lets the product come to rest, and looks at it when the time for that is over. */
  async rest() {
    const began = Date.now();
    const elapsed = () => (Date.now() - began) / 1000;
    const quiet = new Watch(this.stage);
    let restedAt;
    do {
      if (!isBusy(await quiet.sample())) restedAt ??= elapsed();
      await sleep(500);
    } while (elapsed() < this.options.quiet);
    const last = await quiet.sample();
    const rested = restedAt === undefined ? 'never at rest' : `at rest ${restedAt.toFixed(1)} s after the last one`;
    process.stdout.write(`${rested}; after ${elapsed().toFixed(0)} s: ${last.rss.toFixed(0)} MB, ${workText(last)}\n`);
    return last;
  }

  judge(sample) {
    const aims = new Aims();
    for (const [name, unit, title] of [
      ['rss', ' MB', 'memory'],
      ['files', '', 'open files'],
    ]) {
      const [early, late] = [this.watch.quarter(1, name), this.watch.quarter(3, name)];
      const figure = `${early.toFixed(0)} to ${late.toFixed(0)}${unit}`;
      const most = early * (1 + MAY_GROW[name] / 100);
      aims.check(`${title}, second and last quarter`, `at most ${MAY_GROW[name]} % more`, late <= most, figure);
    }
    aims.atMost('workflows left open', sample.workflows, 0, '', 0);
    aims.atMost('calls in flight, slots busy and waiting', sample.inFlight + sample.running + sample.waiting, 0, '', 0);
    aims.atMost("the models' open calls", sample.models, 0, '', 0);
    this.judgeLeaving(aims);
    aims.atMost('calls that failed', this.counts.failed, 0, '', 0);
    for (const [problem, count] of this.problems) process.stdout.write(`${count} times: ${problem}\n`);
    process.stdout.write(`\n${aims}\n`);
    return aims.missed === 0;
  }

  judgeLeaving(aims) {
    const freed = Object.values(this.stage.models).flatMap((model) => model.freedAfter());
    const late = freed.filter(({ ms }) => ms > FREED_MS);
    for (const { ask, ms, begunMs } of late.slice(0, SHOWN)) {
      process.stdout.write(`free only after ${ms} ms: ${leaveText(ask)}, ${begunMs} ms after the model began\n`);
    }
    const busy = freed.flatMap(({ ms }) => (ms > 0 ? ms : []));
    const at = (share) => (busy.length > 0 ? `${quantile(busy, share).toFixed(0)} ms` : '–');
    process.stdout.write(
      `${freed.length} clients left, ${busy.length} of them while a model worked for them; it was free after ` +
        `p50 ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}\n`,
    );
    aims.atMost('longest time until a model was free', Math.max(0, ...busy), FREED_MS, ' ms', 0);
  }
}

const leaveText = ({ marker, model, body, leave }) =>
  `#${marker} of "${model}", ${body.stream ? 'a stream' : 'in one'}${body.tools ? ', tools' : ''}, left ${JSON.stringify(leave)}`;

const isBusy = ({ workflows, inFlight, running, waiting, models }) =>
  workflows + inFlight + running + waiting + models > 0;

const workText = ({ workflows, inFlight, running, waiting, models }) =>
  `${workflows} workflows open, ${inFlight} calls in flight, ${running} of 3 slots busy, ${waiting} waiting, ` +
  `${models} open at the models`;

if (values.help) {
  process.stdout.write(HELP);
} else {
  process.exit((await main()) ? 0 : 1);
}
