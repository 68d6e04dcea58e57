import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startFake } from '../test/support/fake-process.mjs';
import { fromBuild, obtainTemporalCli } from '../test/support/parts.mjs';
import { TestPostgres } from '../test/support/postgres.ts';
import { load, streamCaller } from './lib/load.mjs';
import { cpuOfTree, startBare, startProduct, usageOf } from './lib/parties.mjs';
import { median, ms, quantile, table } from './lib/stats.mjs';

const HELP = `npm run bench -- route [OPTIONS]

A chat, streamed: (a) from the model's endpoint alone, (b) through bare Temporal with a workflow of the same shape,
(c) through POST /route. The parties take turns, each at 1, 10 and 50 callers at once; medians over the rounds.

  --rounds N      rounds (3)
  --model F,T,N   model: ms to the first token, ms a token, tokens (100,5,20)
  --shapes LIST   shapes of the model call (eager,local)
  --postgres      the product on PostgreSQL as well as on the embedded database
  --at LIST       callers at once (1,10,50)
`;

const CALLS = { 1: 40, 10: 120, 50: 250 };

export async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      model: { type: 'string', default: '100,5,20' },
      shapes: { type: 'string', default: 'eager,local' },
      at: { type: 'string', default: '1,10,50' },
      postgres: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [firstTokenMs, tokenMs, tokens] = values.model.split(',').map(Number);
  const bench = new RouteBench({ ...values, rounds: Number(values.rounds), at: values.at.split(',').map(Number) });
  try {
    await bench.open({ firstTokenMs, tokenMs, tokens }, values.shapes.split(','));
    await bench.run();
    bench.report();
  } finally {
    await bench.close();
  }
}

class RouteBench {
  closers = [];
  /** What is measured: a name, a process, and how to load it. */
  parties = [];
  /** Results by party and number of callers: one entry a round. */
  results = new Map();

  constructor(options) {
    this.options = options;
  }

  async open(model, shapes) {
    this.model = model;
    const fake = await startFake('openai');
    this.closers.push(() => fake.stop());
    await fake.control(model);
    const modelUrl = `${fake.url}/v1`;
    this.parties.push({
      name: '(a) model alone',
      pid: fake.pid,
      load: this.http(`${modelUrl}/chat/completions`, modelBody, {}, modelReply),
    });

    const temporalAddress = await this.openTemporal();
    const bare = await startBare({ temporalAddress, modelUrl });
    this.closers.push(() => bare.stop());
    for (const shape of shapes) {
      const name = `(b) bare Temporal, ${shape}`;
      this.parties.push({ name, pid: bare.pid, load: (at, total) => bare.run(shape, at, total) });
    }
    for (const shape of shapes) await this.openProduct({ temporalAddress, modelUrl, shape }, `(c) product, ${shape}`);
    if (this.options.postgres) {
      const postgres = await TestPostgres.start({ fsync: true });
      this.closers.push(() => postgres.stop());
      const databaseUrl = postgres.url;
      await this.openProduct(
        { temporalAddress, modelUrl, shape: shapes[0], databaseUrl },
        `(c) product, ${shapes[0]}, PostgreSQL`,
      );
    }
  }

  async openTemporal() {
    const { TemporalDevServer } = await fromBuild('src/adapters/temporal/dev-server.js');
    const home = mkdtempSync(join(tmpdir(), 'dagi-bench-temporal-'));
    const cli = await obtainTemporalCli();
    const server = await TemporalDevServer.start({
      cli,
      home,
      namespace: 'default',
      ports: { grpc: undefined, ui: undefined },
    });
    this.temporal = server;
    this.closers.push(async () => {
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    });
    return server.address;
  }

  async openProduct(options, name) {
    const product = await startProduct(options);
    this.closers.push(() => product.stop());
    const headers = { authorization: `Bearer ${product.key}` };
    this.parties.push({
      name,
      pid: product.pid,
      load: this.http(`${product.url}/route`, routeBody, headers, routeReply),
    });
  }

  http(url, body, headers, reply) {
    const call = streamCaller({ url, headers, body, ...reply });
    return (at, total) => load(call, at, total);
  }

  async run() {
    // One turn each that does not count: connections, caches, compiled code.
    for (const party of this.parties) await party.load(4, 24);
    for (let round = 0; round < this.options.rounds; round += 1) {
      for (const at of this.options.at) {
        const order = round % 2 === 0 ? this.parties : this.parties.toReversed();
        for (const party of order) await this.measure(party, at);
      }
      process.stderr.write(`round ${round + 1} of ${this.options.rounds} done\n`);
    }
  }

  async measure(party, at) {
    const calls = CALLS[at] ?? at * 5;
    const before = this.spent(party);
    const { firsts, totals, perSecond } = await party.load(at, calls);
    const after = this.spent(party);
    const key = `${party.name}|${at}`;
    const rounds = this.results.get(key) ?? [];
    rounds.push({
      first: median(firsts),
      total: median(totals),
      slow: quantile(totals, 0.95),
      perSecond,
      own: (after.own - before.own) / calls,
      server: (after.server - before.server) / calls,
    });
    this.results.set(key, rounds);
  }

  /** Processor time so far: of the party's process, and of the Temporal server. */
  spent({ pid }) {
    return { own: usageOf(pid).cpuMs, server: cpuOfTree(this.temporal.pid) };
  }

  /** Median over the rounds. */
  figure(party, at, name) {
    return median(this.results.get(`${party.name}|${at}`).map((round) => round[name]));
  }

  report() {
    const { firstTokenMs, tokenMs, tokens } = this.model;
    const [alone] = this.parties;
    process.stdout.write(
      `\nmodel: first token after ${firstTokenMs} ms, then ${tokens} tokens ${tokenMs} ms apart; ` +
        `${this.options.rounds} rounds in turn; ${cpus().length} cores, shared by all parties\n\n`,
    );
    const rows = this.options.at.flatMap((at) =>
      this.parties.map((party) => {
        const [first, total, slow] = ['first', 'total', 'slow'].map((name) => this.figure(party, at, name));
        return [
          party.name,
          at,
          ms(first),
          ms(total),
          ms(slow),
          ms(first - this.figure(alone, at, 'first')),
          ms(total - this.figure(alone, at, 'total')),
          this.figure(party, at, 'perSecond').toFixed(1),
          ms(this.figure(party, at, 'own')),
          ms(this.figure(party, at, 'server')),
        ];
      }),
    );
    const headings = [
      'party',
      'at once',
      'first p50',
      'total p50',
      'total p95',
      'first +',
      'total +',
      'a second',
      'cpu own',
      'cpu server',
    ];
    process.stdout.write(`${table(headings, rows)}\n\n${this.ratios()}\n\n${this.memory()}\n`);
  }

  /** The product beside the best bare Temporal: added time and rate. */
  ratios() {
    const [alone] = this.parties;
    const bare = this.parties.filter(({ name }) => name.startsWith('(b)'));
    const product = this.parties.filter(({ name }) => name.startsWith('(c)'));
    const added = (party, at) => this.figure(party, at, 'total') - this.figure(alone, at, 'total');
    const rate = (party, at) => this.figure(party, at, 'perSecond');
    const rows = this.options.at.flatMap((at) =>
      product.map((party) => [
        party.name,
        at,
        (added(party, at) / Math.min(...bare.map((one) => added(one, at)))).toFixed(2),
        (rate(party, at) / Math.max(...bare.map((one) => rate(one, at)))).toFixed(2),
      ]),
    );
    return table(['beside the best (b)', 'at once', 'added time ×', 'rate ×'], rows);
  }

  memory() {
    const processes = new Map(
      this.parties.map(({ name, pid }) => [pid, name.replace(/^(\(b\) bare Temporal), .*/, '$1')]),
    );
    const rows = [...processes].map(([pid, name]) => [name, usageOf(pid).megabytes.toFixed(0)]);
    return table(['memory of the process', 'MB'], rows);
  }

  async close() {
    for (const close of this.closers.reverse()) await close();
  }
}

const modelBody = {
  model: 'fake-model',
  stream: true,
  stream_options: { include_usage: true },
  max_tokens: 200,
  messages: [{ role: 'user', content: 'bench' }],
};
const routeBody = { prompt: 'bench', metadata: { dao_id: 'greenfood-dao', user_id: 'tg:12345' } };
const modelReply = { isToken: (text) => text.includes('"content":"'), isEnd: (text) => text.includes('[DONE]') };
const routeReply = { isToken: (text) => text.includes('event: token'), isEnd: (text) => text.includes('event: done') };
