// The ten members in simulated time: what the fake's parameters make of "before" and of an ideal client with a cap.
import { between, randomFrom } from '../../test/chaos/lib/seed.mjs';
import { fateOf, Gpu, GPU_DEFAULTS } from '../../test/fakes/gpu-model.ts';
import { quantile, table } from './stats.mjs';

const STEP_S = 0.005;
const MINUTES = 15;
const PROMPT_TOKENS = 20;

/** An ideal client: what the product adds between two calls and around an answer is not in it. */
const WAYS = {
  before: { atOnce: Infinity, maxTokens: Infinity, timeoutS: 5.5, attempts: 1 },
  'cap of 3': { atOnce: 3, maxTokens: 200, timeoutS: 3.5, attempts: 2 },
};

/** Prints both ways, with and without pauses of the members. */
export function calibrate({ seed, thinkMs, patienceMs }) {
  const rows = [0, thinkMs].flatMap((pauseMs) =>
    Object.entries(WAYS).map(([name, way]) => {
      const { totals, late } = new Simulation({ ...GPU_DEFAULTS, seed }, way, { pauseMs, patienceMs }).run();
      const times = [0.5, 0.95, 0.99].map((share) => quantile(totals, share).toFixed(2));
      return [name, pauseMs, totals.length, ...times, ((late / totals.length) * 100).toFixed(2)];
    }),
  );
  const headings = ['simulated', 'mean pause, ms', 'requests', 'P50, s', 'P95, s', 'P99, s', 'timeouts, %'];
  process.stdout.write(`${MINUTES} simulated minutes of ten members\n\n${table(headings, rows)}\n`);
}

class Simulation {
  now = 0;
  queue = [];
  totals = [];
  late = 0;

  constructor(settings, way, { pauseMs, patienceMs }) {
    Object.assign(this, { way, pauseMs, patienceS: patienceMs / 1000, random: randomFrom(settings.seed) });
    this.gpu = new Gpu(settings);
    this.members = Array.from({ length: 10 }, (_, index) => ({ index, number: 0, freeAt: this.pause() }));
  }

  pause() {
    return this.pauseMs > 0 ? between(this.random, this.pauseMs / 2, this.pauseMs * 1.5) / 1000 : 0;
  }

  run() {
    while (this.now < MINUTES * 60) {
      for (const member of this.members) if (member.freeAt <= this.now) this.ask(member);
      this.admit();
      this.gpu.advance(STEP_S);
      this.now += STEP_S;
      for (const member of this.members) if (member.call) this.look(member);
    }
    return { totals: this.totals, late: this.late };
  }

  ask(member) {
    // Who comes back after a failed attempt asks the same again.
    if (!member.attempt) Object.assign(member, { number: member.number + 1, beganAt: this.now, attempt: 0 });
    member.freeAt = Infinity;
    this.queue.push(member);
  }

  admit() {
    while (this.queue.length > 0 && this.members.filter(({ call }) => call).length < this.way.atOnce) {
      const member = this.queue.shift();
      member.attempt += 1;
      const { kind, tokens } = fateOf(this.gpu.settings, `q${member.index}-${member.number}`, member.attempt);
      const generation =
        kind === 'answer' ? this.gpu.start(PROMPT_TOKENS, Math.min(tokens, this.way.maxTokens)) : undefined;
      member.call = { generation, until: this.now + this.way.timeoutS };
    }
  }

  look(member) {
    const { generation, until } = member.call;
    const answered = generation?.over ?? false;
    if (!answered && this.now < until) return;
    if (generation) this.gpu.stop(generation);
    member.call = undefined;
    if (!answered && member.attempt < this.way.attempts) {
      member.freeAt = this.now + 1;
      return;
    }
    const total = this.now - member.beganAt;
    this.totals.push(total);
    if (!answered || total > this.patienceS) this.late += 1;
    Object.assign(member, { attempt: 0, freeAt: this.now + this.pause() });
  }
}
