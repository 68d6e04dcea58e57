// Processes that are measured: each starts, tells its address, and says how much memory it holds.
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../test/support/ports.mjs';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Resident memory of a process and the processor time that it has used, from /proc; elsewhere unknown. */
export function usageOf(pid) {
  try {
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return { megabytes: Number(rss) / 1024, cpuMs: (Number(stat[11]) + Number(stat[12])) * 10 };
  } catch {
    return { megabytes: Number.NaN, cpuMs: Number.NaN };
  }
}

/** Processor time of a process and of everything below it, in milliseconds. */
export function cpuOfTree(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return children.reduce((sum, child) => sum + cpuOfTree(child), usageOf(pid).cpuMs);
  } catch {
    return Number.NaN;
  }
}

/** Bare Temporal: see bench/bare. */
export async function startBare({ temporalAddress, modelUrl }) {
  const child = fork(join(ROOT, 'bench', 'bare', 'process.mjs'), {
    env: { ...process.env, TEMPORAL_ADDRESS: temporalAddress, MODEL_URL: modelUrl },
  });
  const waiting = new Map();
  const ready = new Promise((done, fail) => {
    child.once('exit', (code) => fail(new Error(`bare Temporal ended with ${code}`)));
    child.on('message', (message) => {
      if (message.ready) done();
      else if (message.error) waiting.get(message.id)?.fail(new Error(message.error));
      else waiting.get(message.id)?.done(message.result);
    });
  });
  await ready;
  let last = 0;
  return {
    pid: child.pid,
    run: (shape, concurrency, total) =>
      new Promise((done, fail) => {
        waiting.set(++last, { done, fail });
        child.send({ id: last, shape, concurrency, total });
      }),
    stop: () => child.kill(),
  };
}

/** An empty home for the product. */
export const newHome = () => mkdtempSync(join(tmpdir(), 'dagi-bench-'));

/**
 * The product as `dagi up`: on a model, or under a profile, that is given; optionally in a home that there is, on a Temporal
 * of somebody else's and on PostgreSQL.
 */
export async function startProduct(options) {
  const { home = newHome(), temporalAddress, modelUrl, shape, databaseUrl, profileText, variables = {} } = options;
  const profile = join(home, 'profile.yml');
  writeFileSync(profile, profileText ?? profileOf(modelUrl, shape));
  const port = await freePort();
  const key = 'bench-key-of-the-administrator';
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'bin', 'dagi.mjs'),
      'up',
      '--no-first-question',
      '--profile',
      profile,
      '--port',
      String(port),
      '--mcp-port',
      '0',
      '--home',
      home,
    ],
    {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        DAGI_CACHE: process.env.DAGI_CACHE ?? '',
        DAGI_ADMIN_KEY: key,
        DAGI_LOG_LEVEL: 'warn',
        ...(temporalAddress ? { TEMPORAL_ADDRESS: temporalAddress } : {}),
        ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await spoken(child, 'Ready');
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGINT');
    await new Promise((done) => child.once('exit', done));
  };
  return {
    pid: child.pid,
    home,
    url: `http://127.0.0.1:${port}`,
    key,
    /** Leaves its home, in which it can be started again. */
    end,
    stop: async () => {
      await end();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A key of the product for the seeded DAO's plain member, who may not name anybody else. */
export async function memberKey({ url, key }) {
  const response = await fetch(`${url}/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', dao_id: 'greenfood-dao', principal: 'tg:12345' }),
  });
  return (await response.json()).key;
}

const profileOf = (modelUrl, shape) => `version: "0.4.0"
environment: development
llm_providers:
  - name: bench
    type: openai-compatible
    config: { base_url: "${modelUrl}", model: fake-model, max_tokens: 200, shape: ${shape} }
routing_rules:
  - name: chat
    conditions: { mode: chat }
    use_provider: bench
`;

/** Resolves when the process has written a word; rejects with all that it wrote if it ends before. */
export function spoken(child, word) {
  return new Promise((done, fail) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      text += piece;
      if (text.includes(word)) done(text);
    });
    child.once('exit', (code) => fail(new Error(`process ended with ${code}: ${text}`)));
  });
}
