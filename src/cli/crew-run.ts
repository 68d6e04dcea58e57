import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { DagiClient } from './client.js';
import { inputsOf, type InputOptions } from './crew-inputs.js';
import { seenRun, waits } from './crew-seen.js';
import { CliError } from './failure.js';
import { ask, part, query } from './people.js';
import type { Acting } from './proposal.js';
import { RequestEvents, type EventListener, type Following } from './request-events.js';
import { understood } from './understood.js';

/** How often a run is looked at beside its stream, which a restart of the server may have left without news. */
const LOOK_EVERY_MS = 5_000;

const StartedSchema = z.looseObject({ request_id: z.string() });

/** A run that has begun, and the answer of the server. */
export interface StartedRun {
  id: string;
  answer: unknown;
}

/**
 * Starts a run, once, even if the first answer is lost.
 * @throws CliError those of the answer, and `ARGUMENT_INVALID`
 */
export function startRun(
  client: DagiClient,
  crew: string,
  words: readonly string[],
  { dao, as, ...given }: Acting & InputOptions = {},
): Promise<StartedRun> {
  return begin(client, `/crews/${part(crew)}/runs`, {
    inputs: inputsOf(given),
    ...(words.length > 0 && { text: words.join(' ') }),
    ...(dao !== undefined && { dao_id: dao }),
    ...(as !== undefined && { user_id: as }),
  });
}

/** How a run is to begin that goes on from another one. */
export interface RerunOptions extends InputOptions {
  /** The first task that is done again. */
  from?: string;
  as?: string;
}

/**
 * Runs again from a task, with other inputs, or from what failed; once, even if the first answer is lost.
 * @throws CliError those of the answer, and `ARGUMENT_INVALID`
 */
export function rerun(client: DagiClient, run: string, { from, as, ...given }: RerunOptions = {}): Promise<StartedRun> {
  return begin(client, `/crews/runs/${part(run)}/rerun`, {
    inputs: inputsOf(given),
    ...(from !== undefined && { from }),
    ...(as !== undefined && { user_id: as }),
  });
}

async function begin(client: DagiClient, path: string, body: object): Promise<StartedRun> {
  const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=0' };
  const start = (): Promise<unknown> => ask(client, 'POST', path, { body, headers });
  const answer = await start().catch((error: unknown) => {
    if (error instanceof CliError && error.code === 'UNREACHABLE') return start();
    throw error;
  });
  return { id: understood(StartedSchema, answer).request_id, answer };
}

/**
 * Follows a run until it ends or waits for people.
 * @param lookEveryMs how often it is looked at beside its stream
 * @returns the answer of the server that tells how it stands then
 * @throws CliError `STREAM_INTERRUPTED`; the abort of `signal`
 */
export async function followRun(
  client: DagiClient,
  id: string,
  { hear, signal, as }: Following & { hear: EventListener },
  lookEveryMs = LOOK_EVERY_MS,
): Promise<unknown> {
  const enough = new AbortController();
  const either = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  const look = (): Promise<unknown> => ask(client, 'GET', `/crews/runs/${part(id)}${query({ user_id: as })}`);
  const watch = { hear, signal: either, as };
  const end = readToTheEnd(client, id, watch, enough);
  const stop = (): void => {
    enough.abort();
  };
  void untilItWaits(look, lookEveryMs, either).then(stop, stop);
  try {
    await end;
  } catch (error) {
    // What it waits for has been said, unless it is the user who has heard enough.
    if (!enough.signal.aborted || signal?.aborted) throw error;
  } finally {
    enough.abort();
  }
  return look();
}

async function readToTheEnd(
  client: DagiClient,
  id: string,
  { hear, signal, as }: Following & { hear: EventListener },
  enough: AbortController,
): Promise<void> {
  const hearUntilItWaits: EventListener = (event) => {
    hear(event);
    if (event.type === 'crew' && event.data.waits_for !== null) enough.abort();
  };
  const events = new RequestEvents(client, hearUntilItWaits, { signal, as }, id);
  await events.connect(id);
  await events.toTheEnd();
}

/** Resolves when a run waits for people. A server that is away, or busy, is asked again. */
async function untilItWaits(look: () => Promise<unknown>, everyMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(everyMs, undefined, { signal });
    const answer = await look().catch(() => undefined);
    if (answer !== undefined && waits(seenRun(answer))) return;
  }
}
