import { loadConfig } from '../../config/loader.js';
import type { Env } from '../../config/env.js';
import type { ReportStream } from '../adapters/supply/reporter.js';
import type { DagiClient } from './client.js';
import { whileWaiting } from './waiting.js';
import { ConfigStateSchema, WhatIfAnswerSchema } from './whatif-answer.js';
import { understood } from './understood.js';
import { printReport } from './whatif-report.js';
import { printTrial, requireConsent, tryOffer, type Trial } from './whatif-trials.js';

export interface WhatIfOptions {
  profile: string;
  /** How far back, in milliseconds. */
  since: number;
  limit: number;
  /** How many requests to try. */
  run: number;
  yes: boolean;
  json: boolean;
}

/** Where a command writes to. */
export interface Terminal {
  out: (text: string) => void;
  /** Progress and remarks. */
  err: ReportStream;
  /** Columns of the terminal. */
  width: number;
}

/** `dagi whatif`: what would change for recorded requests if this profile were the running one. */
export async function whatIf(client: DagiClient, env: Env, options: WhatIfOptions, terminal: Terminal): Promise<void> {
  const { out, err, width } = terminal;
  const { routing, warnings } = loadConfig(env, options.profile);
  warnings.forEach((warning) => err.write(`warning: ${warning}\n`));
  const difference = await environmentRemark(client, env);
  if (difference !== undefined) err.write(`warning: ${difference}\n`);
  const since = new Date(Date.now() - options.since).toISOString();
  const body = { table: routing, since, limit: options.limit, trials: options.run };
  const asked = client.json('POST', '/routing/whatif', { body });
  const answer = understood(WhatIfAnswerSchema, await whileWaiting('deciding recorded requests again', asked, err));
  if (!options.json) out(printReport(answer));

  requireConsent(answer.trials, options.yes);
  const goesTo = [...new Set(answer.trials.filter(({ runnable }) => runnable).map(({ provider }) => provider))];
  if (goesTo.length > 0) err.write(`prompts of recorded requests go to: ${goesTo.join(', ')}\n`);
  const trials: Trial[] = [];
  for (const offer of answer.trials) {
    const trial = await whileWaiting(`asking ${offer.provider}`, tryOffer(client, offer), err);
    trials.push(trial);
    if (!options.json) out(`\n${printTrial(trial, width)}`);
  }
  if (options.run > 0 && trials.length === 0) err.write('no request that would change can be asked again\n');
  if (options.json) out(`${JSON.stringify({ ...answer, trials }, undefined, 2)}\n`);
}

/**
 * What a profile resolves to depends on variables of where it is compiled. Where the file that the instance runs can be
 * read here too, it tells whether they are the same.
 */
async function environmentRemark(client: DagiClient, env: Env): Promise<string | undefined> {
  const state = understood(ConfigStateSchema, await client.json('GET', '/config'));
  if (state.waiting || state.refused) return undefined;
  try {
    if (loadConfig(env, state.active.file).routing.hash === state.active.table_hash) return undefined;
  } catch {
    // It lies on another machine, or its variables are not set here: nothing can be said.
    return undefined;
  }
  return (
    `the running profile, ${state.active.file}, gives something else here than in the instance: what "auto" and ` +
    'api_key_available mean depends on variables. Run this with those of the instance.'
  );
}
