#!/usr/bin/env node
// Every shipped crew with a real model: the embedded one, in the whole product as `dagi up` starts it.
import '../support/typescript.mjs';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { table } from '../../bench/lib/stats.mjs';
import { keptPort } from '../chaos/lib/ports.mjs';
import { answers, Victim } from '../chaos/lib/victim.mjs';

const { PROPOSAL, REPOSITORY, SHIPPED } = await import('../factories/shipped-crews.ts');

const ROOT = resolve(import.meta.dirname, '../..');
const KEY = 'administrator-of-the-crews';
const DAO = 'greenfood-dao';
const ADMIN = 'tg:1';
/** A run that takes longer is cancelled and counts as failed, in milliseconds. */
const LONGEST_MS = 15 * 60_000;
const LOOK_MS = 500;

const HELP = `npm run crews [-- CREW… OPTIONS]

Runs ${Object.keys(SHIPPED).join(', ')}, or those that are named, with the embedded model, on an empty
home: code_review reads a small repository with faults in it, proposal_review a proposal of the DAO, and what
microdao_onboarding suggests is approved. Ends with 1 unless all of them complete.

  --model FILE   another model than the one that comes along
  --show         prints what they came to
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string' }, show: { type: 'boolean' }, help: { type: 'boolean' } },
});

/** `dagi up` with nothing configured but where it listens. */
async function startProduct(folder) {
  const [port, grpc, ui] = [await keptPort(), await keptPort(), await keptPort()];
  const url = `http://127.0.0.1:${port}`;
  const args = [join(ROOT, 'bin', 'dagi.mjs'), 'up', '--no-first-question', '--port', String(port), '--mcp-port', '0'];
  const { PATH, HOME, DAGI_CACHE } = process.env;
  const up = new Victim('dagi up', process.execPath, args, {
    env: {
      ...{ PATH, HOME, DAGI_HOME: join(folder, 'home'), DAGI_ADMIN_KEY: KEY },
      ...{ DAGI_CACHE: DAGI_CACHE || join(ROOT, 'var', 'cache') },
      ...{ TEMPORAL_PORT: String(grpc), TEMPORAL_UI_PORT: String(ui) },
      ...(values.model && { EMBEDDED_MODEL: resolve(values.model) }),
    },
    log: createWriteStream(join(folder, 'dagi-up.log')),
    ready: () => answers(`${url}/health`),
  });
  // One that did not become ready is no one's to stop.
  await up.start().catch(async (error) => {
    await up.stop();
    throw error;
  });
  return { url, stop: () => up.stop() };
}

class Crews {
  constructor(url, home) {
    Object.assign(this, { url, home });
  }

  /** What crews read: a repository, and a proposal. */
  async prepare() {
    for (const [path, text] of Object.entries(REPOSITORY)) {
      const file = join(this.home, 'workspaces', DAO, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    await this.call('POST', `/proposals?dao_id=${DAO}&user_id=${ADMIN}`, PROPOSAL);
  }

  async call(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', prefer: 'wait=0' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (response.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  seen(id) {
    return this.call('GET', `/crews/runs/${id}?user_id=${ADMIN}`);
  }

  /** A run to its end; what it made is approved, any other question ends it. */
  async run(crew) {
    const { inputs, by } = SHIPPED[crew];
    const { request_id: id } = await this.call('POST', `/crews/${crew}/runs`, { dao_id: DAO, user_id: by, inputs });
    for (const giveUpAt = Date.now() + LONGEST_MS; ; await sleep(LOOK_MS)) {
      const seen = await this.seen(id);
      if (seen.ended_at !== null) return seen;
      const gate = seen.gates.find(({ state }) => state === 'open');
      if (gate?.kind === 'approval') await this.decide(seen, gate);
      else if (gate || Date.now() > giveUpAt) await this.call('POST', `/crews/runs/${id}/cancel?user_id=${ADMIN}`);
    }
  }

  decide({ run_id: id }, { id: gate }) {
    return this.call('POST', `/crews/runs/${id}/approve`, { user_id: ADMIN, gate });
  }
}

const HEADINGS = ['crew', 'end', 'steps', 'turns', 'no answer', 'did not fit', 'tokens', 'time'];

/** A line of the table. Each task that has its output took one turn that fitted. */
function lineOf({ crew, state, error, steps, tasks, spent, started_at: from, ended_at: to }) {
  const turns = steps.filter(({ kind }) => kind === 'model');
  const silent = turns.filter((turn) => turn.error).length;
  const fitted = tasks.filter(({ output }) => output !== null).length;
  const end = error ? `${state}: ${error.code} ${error.task ?? ''}`.trim() : state;
  const seconds = (Date.parse(to) - Date.parse(from)) / 1_000;
  const misses = turns.length - silent - fitted;
  return [crew, end, steps.length, turns.length, silent, misses, spent.tokens, `${seconds.toFixed(1)} s`];
}

/** Steps that failed, each with how long it took and why. */
const failuresOf = ({ steps }) =>
  steps.filter(({ error }) => error).map(({ step, ms, error, attempts }) => ({ step, ms, error, attempts }));

/** Whether a run came to all that its crew gives. */
const isWhole = ({ state, result, definition }) =>
  state === 'completed' && Object.keys(definition.result).every((name) => (result.result[name] ?? null) !== null);

async function main() {
  const unknown = positionals.filter((name) => !(name in SHIPPED));
  if (values.help || unknown.length > 0) {
    process.stdout.write(HELP);
    return unknown.length === 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'dagi-crews-'));
  mkdirSync(join(folder, 'home'));
  let product;
  try {
    product = await startProduct(folder);
    const crews = new Crews(product.url, join(folder, 'home'));
    await crews.prepare();
    const runs = [];
    for (const name of positionals.length > 0 ? positionals : Object.keys(SHIPPED)) {
      const run = await crews.run(name);
      console.error(`${name}: ${run.state}`);
      if (values.show) console.log(JSON.stringify(run.result ?? { ...run.error, steps: failuresOf(run) }, null, 2));
      runs.push(run);
    }
    console.log(table(HEADINGS, runs.map(lineOf)));
    return runs.every(isWhole);
  } finally {
    await product?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = (await main()) ? 0 : 1;
