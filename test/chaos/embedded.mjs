import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFake } from '../support/fake-process.mjs';
import { KEY, MemberClient } from './lib/member.mjs';
import { readOptions } from './lib/options.mjs';
import { keptPort } from './lib/ports.mjs';
import { between, randomFrom } from './lib/seed.mjs';
import { answers, Victim } from './lib/victim.mjs';

const ROOT = resolve(import.meta.dirname, '..', '..');
const DAGI = join(ROOT, 'bin', 'dagi.mjs');
/** Twenty kills take longer than the two minutes of the development profile, and a deadline is kept across them. */
const PROFILE = `version: "0.4.0"
environment: development
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: auto }]
limits: { request_timeout_ms: 900000 }
`;
/** A child of a killed process must be gone by then, in milliseconds. */
const ORPHAN_MS = 10_000;

/** `dagi up`, killed again and again with requests under way; true if its database and all requests survive. */
export async function main(args) {
  const { seed, kills } = readOptions(args, { requests: 0, kills: 20 });
  process.stdout.write(`\nembedded set-up, seed ${seed}: ${kills} kills\n`);
  const random = randomFrom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'dagi-chaos-embedded-'));
  const home = join(folder, 'home');
  mkdirSync(home);
  const logFile = join(folder, 'dagi-up.log');
  const fake = await startFake('openai');
  await fake.control({ firstTokenMs: 200, tokenMs: 20, tokens: 20 });
  const up = await dagiUp(home, fake.url, createWriteStream(logFile));
  try {
    return await killRepeatedly(up, { kills, random, home });
  } finally {
    await up.stop();
    await fake.stop();
    rmSync(home, { recursive: true, force: true });
    process.stdout.write(`what it wrote: ${logFile}\n`);
  }
}

async function dagiUp(home, modelUrl, log) {
  const [port, grpc, ui] = [await keptPort(), await keptPort(), await keptPort()];
  const url = `http://127.0.0.1:${port}`;
  const profile = join(home, 'chaos.yml');
  writeFileSync(profile, PROFILE);
  const args = [DAGI, 'up', '--no-first-question', '--port', String(port), '--mcp-port', '0', '--profile', profile];
  const up = new Victim('dagi up', process.execPath, args, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DAGI_HOME: home,
      DAGI_CACHE: process.env.DAGI_CACHE || join(ROOT, 'var', 'cache'),
      DAGI_ADMIN_KEY: KEY,
      OPENAI_BASE_URL: `${modelUrl}/v1`,
      OPENAI_API_KEY: 'none',
      TEMPORAL_PORT: String(grpc),
      TEMPORAL_UI_PORT: String(ui),
    },
    log,
    ready: () => answers(`${url}/health`),
  });
  up.url = url;
  return up;
}

async function killRepeatedly(up, { kills, random, home }) {
  const accepted = new Map();
  const starts = [];
  let orphans = 0;
  for (let round = 0; round <= kills; round += 1) {
    const began = Date.now();
    await up.start();
    starts.push(Date.now() - began);
    const client = new MemberClient(up.url, KEY);
    for (let index = 0; index < 3; index += 1) {
      const marker = `m${round * 3 + index}x`;
      accepted.set(marker, await client.submit({ marker }));
    }
    if (round === 0 && !secondOpenerIsRefused(home)) return say('a second opener was NOT refused');
    if (round === kills) break;
    await sleep(between(random, 0, 900));
    const children = childrenOf(up.child.pid);
    await up.kill();
    orphans += await countSurvivors(children);
  }
  return ledger(up, accepted, { starts, orphans, kills });
}

async function ledger(up, accepted, { starts, orphans, kills }) {
  const client = new MemberClient(up.url, KEY);
  const limit = Date.now() + 120_000;
  const outcomes = await Promise.all([...accepted.values()].map((id) => client.outcome(id, limit)));
  const answered = [...accepted.keys()].filter((marker, index) => outcomes[index]?.data?.text?.includes(marker)).length;
  for (const body of outcomes.filter((one) => one && one.status !== 'completed')) {
    say(`failed: ${JSON.stringify({ error: body.error, attempts: body.attempts, timings: body.timings_ms })}`);
  }
  const median = starts.toSorted((a, b) => a - b)[Math.floor(starts.length / 2)];
  say(
    `kills ${kills}, starts that succeeded ${starts.length} of ${kills + 1} (median ${median} ms), ` +
      `orphans ${orphans}, second opener refused; accepted ${accepted.size}, answered ${answered}, ` +
      `lost ${outcomes.filter((body) => body === undefined).length}`,
  );
  return answered === accepted.size && orphans === 0;
}

function say(line) {
  process.stdout.write(`${line}\n`);
  return false;
}

function secondOpenerIsRefused(home) {
  try {
    execFileSync(
      process.execPath,
      [DAGI, 'up', '--no-first-question', '--port', '0', '--mcp-port', '0', '--home', home],
      {
        stdio: 'pipe',
        timeout: 30_000,
      },
    );
    return false;
  } catch (error) {
    return error.status === 1 && /HOME_LOCKED/.test(String(error.stderr));
  }
}

/** Processes below a process, at any depth. */
function childrenOf(pid) {
  const direct = listChildren(pid);
  return [...direct, ...direct.flatMap(childrenOf)];
}

function listChildren(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

async function countSurvivors(pids) {
  const limit = Date.now() + ORPHAN_MS;
  const alive = () => pids.filter(isAlive);
  while (alive().length > 0 && Date.now() < limit) await sleep(50);
  return alive().length;
}

function isAlive(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
