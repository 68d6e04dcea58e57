// Parties of the bench of crews: the model that both ask, the product, and CrewAI.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { startFake } from '../../test/support/fake-process.mjs';
import { start, stopped } from './children.mjs';
import { ANSWERS, CREW, EXPECTED, inputsOf } from './crews-crew.mjs';
import { obtainFromPyPi } from './fetched-parts.mjs';
import { turn } from './openai-client.mjs';
import { memberKey, startProduct } from './parties.mjs';

const SCRIPT = join(import.meta.dirname, 'crews-crewai.py');
/** Where the script finds how commands are read. */
const COMMANDS = resolve(import.meta.dirname, '..', '..', 'test', 'clients', 'python');
/** Longest that a caller waits for a run, in seconds. */
const WAIT_S = 300;

/**
 * @typedef {object} Party
 * @property {string} name
 * @property {number} pid
 * @property {(markers: string[], options: { atOnce: number, limitMs: number }) => Promise<{ calls: Map<string, { total: number, problem?: string }>, perSecond: number }>} take
 *   runs of the crew with these markers, so many at once, each next one as soon as one has ended
 * @property {() => Promise<void>} stop
 */

/** The model: it thinks so long over each answer, and each fits. @param {number | [number, number]} thinkMs */
export const startModel = (thinkMs) => startFake('openai', { firstTokenMs: thinkMs, scripts: ANSWERS });

/**
 * The product as `dagi up`, with a crew of the DAO's own, whose runs a plain member starts and waits for.
 * @returns {Promise<Party>}
 */
export async function startDagi(modelUrl, { name, shape, databaseUrl, headStart = true }) {
  const product = await startProduct({ profileText: profileOf(`${modelUrl}/v1`, shape, headStart), databaseUrl });
  await putCrew(product);
  const run = runCaller(product, await memberKey(product));
  return {
    ...{ name, pid: product.pid, stop: product.stop },
    take: (markers, options) => turn(run, markers, options),
  };
}

const profileOf = (modelBase, shape, headStart) => `version: "0.4.0"
environment: development
llm_providers:
  - name: bench
    type: openai-compatible
    config: { base_url: "${modelBase}", model: fake-model, max_tokens: 200, shape: ${shape} }
routing_rules:
  - name: chat
    conditions: { mode: chat }
    use_provider: bench
limits: { head_start: ${headStart} }
`;

async function putCrew({ url, key }) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const { id, ...crew } = CREW;
  const response = await fetch(`${url}/crews/${id}`, { method: 'PUT', headers, body: JSON.stringify({ id, ...crew }) });
  if (!response.ok) throw new Error(`the product took no crew: ${await response.text()}`);
}

/** One run, from the call that starts it to the answer with its result. */
function runCaller({ url }, key) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', prefer: `wait=${WAIT_S}` };
  return async (marker) => {
    const began = performance.now();
    const body = JSON.stringify({ inputs: inputsOf(marker) });
    const response = await fetch(`${url}/crews/${CREW.id}/runs`, { method: 'POST', headers, body });
    const told = await response.json();
    const total = performance.now() - began;
    return judged({ total, result: told.data?.result, problem: told.error && JSON.stringify(told.error) });
  };
}

/**
 * CrewAI with the same crew, in one process, as its own documentation runs several at once: a crew each, `kickoff_async`.
 * @returns {Promise<Party>}
 * @throws Missing
 */
export async function startCrewAi(modelUrl, { atOnce }, tell) {
  const about = { name: 'CrewAI', distribution: 'crewai', takes: 'pip takes some minutes over it, and it is 1 GB' };
  const { python, packages, version } = await obtainFromPyPi(about, tell);
  const home = mkdtempSync(join(tmpdir(), 'dagi-bench-crewai-'));
  const variables = { PYTHONPATH: `${COMMANDS}:${packages}`, PYTHONUTF8: '1', PYTHONDONTWRITEBYTECODE: '1', ...QUIET };
  const child = start(python, [SCRIPT], home, { variables, input: 'pipe' });
  const driver = new PythonDriver(child);
  await driver.ready();
  const model = {
    model: 'fake-model',
    provider: 'openai',
    base_url: `${modelUrl}/v1`,
    api_key: 'none',
    max_tokens: 200,
  };
  await driver.call('open', { definition: CREW, model, at_once: atOnce });
  return {
    ...{ name: `CrewAI ${version}`, pid: child.pid, stop: () => stopped(child, home) },
    take: async (markers, options) => {
      const given = Object.fromEntries(markers.map((marker) => [marker, inputsOf(marker)]));
      const told = await driver.call('runs', { given, at_once: options.atOnce, limit_s: options.limitMs / 1000 });
      const calls = new Map(Object.entries(told.runs).map(([marker, run]) => [marker, judged(run)]));
      return { calls, perSecond: told.per_second };
    },
  };
}

/** Nothing is sent anywhere but to the model, and nobody is asked. */
const QUIET = { CREWAI_DISABLE_TELEMETRY: 'true', OTEL_SDK_DISABLED: 'true', CREWAI_TRACING_ENABLED: 'false' };

/** A run that came to something else than what the model said has failed. */
function judged({ total, result, problem }) {
  if (problem) return { total, problem };
  return isDeepStrictEqual(result, EXPECTED)
    ? { total }
    : { total, problem: `another result: ${JSON.stringify(result)}` };
}

/** The script in Python: it is told one thing at a time, a line each. */
class PythonDriver {
  constructor(child) {
    this.child = child;
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  ready() {
    return this.next();
  }

  async call(op, parameters) {
    this.child.stdin.write(`${JSON.stringify({ op, with: parameters })}\n`);
    const { value, error } = await this.next();
    if (error) throw new Error(`CrewAI's script failed: ${error.name}: ${error.message}`);
    return value;
  }

  async next() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`CrewAI's script has ended. The last that it wrote:\n${this.child.tail}`);
    return JSON.parse(value);
  }
}
