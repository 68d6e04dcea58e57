import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../fakes/call-ledger.ts';
import { Approver } from './lib/crew-approver.mjs';
import { Books } from './lib/crew-books.mjs';
import { PLANTS } from './lib/crew-plants.mjs';
import { plantNote, PLAYS, scriptsFor } from './lib/crew-plays.mjs';
import { Stage } from './lib/crew-stage.mjs';
import { planTargets, victimOf } from './lib/crew-targets.mjs';
import { readOptions } from './lib/options.mjs';
import { randomFrom } from './lib/seed.mjs';

/** So many runs are under way at once, at most; each of them is hit by the kills that are meant for others, too. */
const MOST_OPEN = 8;
/** After the last kill every run must have ended by then, in milliseconds. */
const SETTLE_MS = 120_000;
/** A moment that is waited for comes within this time, or the run is not where it should be, in milliseconds. */
const MOMENT_MS = 60_000;
/** More than there ever are. */
const MOST_RUNS = 500;

/** The chaos run of crews; true if nothing was lost, bought after it was recorded, or decided twice. */
export async function main(args) {
  const options = readOptions(args, { requests: 0, kills: Number.POSITIVE_INFINITY });
  if (options.plant !== undefined && !(options.plant in PLANTS)) {
    throw new Error(`There is no plant "${options.plant}". Choose of: ${Object.keys(PLANTS).join(', ')}.`);
  }
  const stage = new Stage();
  try {
    await stage.open(scriptsFor(MOST_RUNS));
    return await new Storm(stage, options).run();
  } finally {
    await stage.close();
  }
}

/** A quiet run of each crew, then a run and a kill for each step and each gate of them, and the ledger at the end. */
class Storm {
  runs = [];
  struck = [];
  missed = [];

  constructor(stage, options) {
    Object.assign(this, { stage, options, signals: stage.signals, began: Date.now() });
    this.plant = PLANTS[options.plant];
    this.approver = new Approver(stage.client, stage.signals);
    this.approver.start((run, gate) => this.mayDecide(run, gate));
  }

  async run() {
    const books = new Books(this.stage, this.runs, this.approver);
    const quiet = await Promise.all(PLAYS.map((play) => this.begin(play)));
    await this.untilOver(quiet);
    const targets = this.plan(await books.quiet(quiet));
    for (const [index, target] of targets.entries()) {
      await this.aim(target);
      process.stderr.write(
        `kill ${index + 1} of ${targets.length}, ${this.open().length} of ${this.runs.length} runs under way, ${this.elapsed()} s\n`,
      );
    }
    process.stdout.write(`storm over after ${this.elapsed()} s\n`);
    await this.untilOver(this.runs);
    process.stdout.write(`everything ended after ${this.elapsed()} s\n\n${this.summary()}\n`);
    const whole = await books.close();
    for (const missed of this.missed) process.stdout.write(`WRONG: ${missed}\n`);
    return whole && this.missed.length === 0;
  }

  plan(found) {
    const { seed, kills, rounds } = this.options;
    const all = planTargets(found, { random: randomFrom(seed), rounds });
    const targets = (this.plant?.targets(all) ?? all).slice(0, kills);
    const count = (of) => found.reduce((sum, one) => sum + of(one).length, 0);
    process.stdout.write(
      `seed ${seed}: ${found.length} crews of ${count(({ steps }) => steps)} steps and ${count(({ gates }) => gates)} gates, ` +
        `in peace ${this.elapsed()} s; ${targets.length} kills\n`,
    );
    return targets;
  }

  elapsed() {
    return ((Date.now() - this.began) / 1000).toFixed(1);
  }

  open() {
    return this.runs.filter(({ isOver }) => !isOver).map(({ over }) => over);
  }

  /** Starts a run of a crew. @param target where it is to be hit, if at all */
  async begin(play, target) {
    const n = this.runs.length;
    const run = { n, play, crew: play.crew, target };
    run.hit = new Promise((done) => (run.wasHit = done));
    this.runs.push(run);
    plantNote(this.stage.workspace, play, n);
    const metadata = { user_id: play.user(n), workflow: play.crew, inputs: play.inputs(n) };
    run.id = await this.stage.client.submit({ marker: `n${n}x`, metadata, mode: 'crew' });
    this.signals.tell(`known ${run.id}`, run);
    run.over = this.over(run);
    return run;
  }

  async over(run) {
    await this.signals.until(`ended ${run.id}`);
    await this.approver.all(run.id);
    run.isOver = true;
  }

  /** Where a run is hit while people are waited for, they decide after that. */
  async mayDecide(id, gate) {
    const { target, hit } = await this.signals.until(`known ${id}`);
    if (target?.moment === 'asked' && target.key === gate) await hit;
  }

  async untilOver(runs) {
    await Promise.race([Promise.all(runs.map(({ over }) => over)), sleep(SETTLE_MS, undefined, { ref: false })]);
  }

  /** A run that is hit at its target, and goes on by itself. */
  async aim(target) {
    for (let open = this.open(); open.length >= MOST_OPEN; open = this.open()) await Promise.race(open);
    const run = await this.begin(target.play, target);
    const late = sleep(MOMENT_MS, 'late', { ref: false });
    if ((await Promise.race([this.moment(run, target), late])) === 'late') {
      this.missed.push(`${target.play.crew} ${run.id} did not come to where ${target.key} is ${target.moment}`);
    } else {
      await sleep(target.after);
      await this.strike(run, target);
    }
    run.wasHit();
  }

  /** Resolves when a run is where it is to be hit. */
  async moment({ id }, { key, moment }) {
    if (moment !== 'begun' && moment !== 'answered') return this.signals.until(`${moment} ${id} ${key}`);
    await this.signals.until(`opened ${id} ${key}`);
    const digest = digestOf(await this.stage.journal.messages(id, key));
    return this.signals.until(`${moment} ${digest}`);
  }

  async strike(run, target) {
    const { key, kind, moment, down } = target;
    const holder = kind === 'gate' ? undefined : await this.stage.journal.holder(run.id, key);
    const victim = victimOf(target, holder);
    this.struck.push({ victim, moment });
    await this.stage.strike(victim, down, async () => {
      run.wasHit();
      await this.plant?.breakIt(this.stage, run, target);
    });
  }

  /** What was killed, and when in a step. */
  summary() {
    const kinds = (of) =>
      [...Map.groupBy(this.struck, of)]
        .map(([name, all]) => `${name} ${all.length}`)
        .toSorted()
        .join(', ');
    return `killed: ${kinds(({ victim }) => victim)}\nas a step or gate was: ${kinds(({ moment }) => moment)}`;
  }
}
