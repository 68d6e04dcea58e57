import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '../../config/env.js';
import { z } from 'zod';
import { loadIntents } from '../../config/intents.js';
import { loadConfig } from '../../config/loader.js';
import { probePostgres } from '../adapters/store/database.js';
import { HomeLock } from '../adapters/store/lock.js';
import { inspect, stampPath } from '../adapters/supply/checksum.js';
import type { Part } from '../adapters/supply/part.js';
import { obtainModel, SMALL_MODEL } from '../adapters/supply/small-model.js';
import { findOnPath, temporalPart } from '../adapters/supply/temporal-cli.js';
import { silentReporter } from '../adapters/supply/reporter.js';
import { requireTrusted } from '../adapters/supply/trust.js';
import { probeTemporal } from '../adapters/temporal/probe.js';
import { requireAdminKey } from '../admin-key.js';
import { counted } from './count.js';
import { bad, fine, type DoctorCheck, type Finding } from './doctor-finding.js';
import { checkProviders } from './doctor-providers.js';
import { checkSandbox } from './doctor-sandbox.js';
import { addressProblem } from './listen-address.js';
import type { RunFile } from './run-file.js';

const PROBE_MS = 3_000;

/** Every check, in the order in which a start would meet them. */
export function checksOf(env: Env, running: RunFile | undefined): DoctorCheck[] {
  return [
    { name: 'node', run: checkNode },
    { name: 'configuration', run: () => checkConfig(env, running) },
    { name: 'home', run: () => checkHome(env.home) },
    { name: 'API', run: () => (running ? checkApi(running.url) : checkAddress(env)) },
    { name: 'Temporal', run: () => checkTemporal(env, running) },
    { name: 'database', run: () => checkDatabase(env, running) },
    { name: 'model', run: () => checkModel(env) },
    { name: 'providers', run: () => checkProviders(env) },
    { name: 'sandbox', run: () => checkSandbox(env) },
    { name: 'wording', run: checkWording },
    // Their clients take a while to load: nobody else is to wait for that.
    {
      name: 'Telegram',
      run: async () => (await import('./doctor-telegram.js')).checkTelegram(env, running !== undefined),
    },
    { name: 'Discord', run: async () => (await import('./doctor-discord.js')).checkDiscord(env) },
  ];
}

function checkNode(): Promise<Finding> {
  const found = process.versions.node;
  const good = Number(found.split('.')[0]) >= 24;
  return Promise.resolve(
    good ? fine(found) : bad(`${found} is too old: start through "npm run" or "npx dagi", which use Node 24.`),
  );
}

/** What a start from here would take; what a running instance took, and warns of, is told with its API. */
function checkConfig(env: Env, running: RunFile | undefined): Promise<Finding> {
  const { routing, warnings, profile } = loadConfig(env);
  if (!running) requireAdminKey(env, profile.environment);
  const here = running ? ' as the variables are set here' : '';
  const said = `profile ${env.DAGI_PROFILE}${here}, ${counted(routing.rules.length, 'rule')}`;
  return Promise.resolve(fine(said + warningLines(warnings)));
}

const warningLines = (warnings: readonly string[]): string =>
  warnings.map((warning) => `\n     warning: ${warning}`).join('');

const ReadySchema = z.looseObject({ warnings: z.array(z.string()) });

/** What an instance warns of at `/ready`. */
function warningsOf(body: string): string[] {
  try {
    return ReadySchema.safeParse(JSON.parse(body)).data?.warnings ?? [];
  } catch {
    return [];
  }
}

/** Words that mean commands to bots. */
function checkWording(): Promise<Finding> {
  const { intents } = loadIntents();
  const patterns = intents.reduce((sum, one) => sum + one.patterns.length, 0);
  return Promise.resolve(fine(`${counted(intents.length, 'intent')} of ${counted(patterns, 'pattern')}`));
}

async function checkHome(home: string): Promise<Finding> {
  if (!(await stat(home).catch(() => undefined))) return fine(`${home} (the first start makes it)`);
  const writable = await access(home, constants.W_OK).then(
    () => true,
    () => false,
  );
  return writable
    ? fine(home)
    : bad(`${home} cannot be written: give this user write access, or choose another with DAGI_HOME.`);
}

async function checkApi(url: string): Promise<Finding> {
  const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(PROBE_MS) }).catch(() => undefined);
  if (!response) return bad(`${url} does not answer: stop the instance and start it again.`);
  const body = await response.text();
  return response.ok
    ? fine(`${url} is ready${warningLines(warningsOf(body))}`)
    : bad(`${url} is not ready: ${body.slice(0, 300)}`);
}

async function checkAddress(env: Env): Promise<Finding> {
  const problem = await addressProblem(env);
  return problem === undefined ? fine(`port ${env.PORT} is free`) : bad(problem);
}

async function checkTemporal(env: Env, running: RunFile | undefined): Promise<Finding> {
  const address = env.TEMPORAL_ADDRESS ?? running?.temporal_address;
  if (address !== undefined) return describeTemporal(env, address);
  const onPath = await findOnPath();
  if (onPath) return fine(`CLI on PATH (server ${onPath.serverVersion})`);
  return describeCached(temporalPart(`${process.platform}-${process.arch}`), env.cache);
}

async function describeTemporal(env: Env, address: string): Promise<Finding> {
  const own = env.TEMPORAL_ADDRESS === undefined;
  const answers = await probeTemporal(address, own ? {} : { tls: env.TEMPORAL_TLS, apiKey: env.TEMPORAL_API_KEY });
  if (answers) return fine(`${address} answers`);
  const remedy = own ? 'stop the instance and start it again' : 'start it, or correct TEMPORAL_ADDRESS';
  return bad(`${address} does not answer: ${remedy}.`);
}

async function checkDatabase(env: Env, running: RunFile | undefined): Promise<Finding> {
  if (env.DATABASE_URL !== undefined) return checkPostgres(env.DATABASE_URL);
  const folder = join(env.home, 'database');
  if (running) return fine(`${folder} (open in process ${running.pid})`);
  if (!(await stat(folder).catch(() => undefined))) return fine(`${folder} (the first start makes it)`);
  HomeLock.acquire(env.home).release();
  return fine(`${folder} is not in use`);
}

async function checkPostgres(url: string): Promise<Finding> {
  try {
    await probePostgres(url);
    return fine('DATABASE_URL answers');
  } catch {
    return bad('the server of DATABASE_URL does not answer or refuses us: start it, or correct DATABASE_URL.');
  }
}

async function checkModel(env: Env): Promise<Finding> {
  if (env.EMBEDDED_MODEL === undefined) return describeCached(SMALL_MODEL, env.cache);
  return fine(await obtainModel(env.EMBEDDED_MODEL, { cache: env.cache, reporter: silentReporter }));
}

async function describeCached(part: Part, cache: string): Promise<Finding> {
  const path = join(cache, part.file);
  await requireTrusted([cache, path, stampPath(path)]);
  const state = await inspect(path, part.sha256);
  if (state === 'good') return fine(path);
  if (state === 'absent') return fine(`${part.name} is not here yet; the next start fetches it`);
  return bad(`${path} is damaged: delete it, the next start fetches it again.`);
}
