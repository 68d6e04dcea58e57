import { setTimeout as sleep } from 'node:timers/promises';
import type { GateDecision } from '../contracts/crew.js';
import type { DagiClient } from './client.js';
import { seenRun, showRun, toldRun } from './crew-seen.js';
import { ask, part, query, quoted, type Told } from './people.js';

/** What a person says beside the decision itself. */
export interface DecideOptions {
  /** Which gate; absent: the only one that is open to such a decision. */
  gate?: string;
  comment?: string;
  /** What of it was seen. */
  revision?: number;
  as?: string;
}

/** `dagi crew approve` and the five others: decides something of a run, and tells how it stands then. */
export async function decideRun(
  client: DagiClient,
  run: string,
  decision: GateDecision['decision'],
  { gate, comment, revision, as: user }: DecideOptions = {},
): Promise<Told> {
  const body = {
    ...(gate !== undefined && { gate }),
    ...(comment !== undefined && { comment }),
    ...(revision !== undefined && { revision }),
    ...(user !== undefined && { user_id: user }),
  };
  const { answer, text } = toldRun(await ask(client, 'POST', `/crews/runs/${part(run)}/${decision}`, { body }), user);
  const how = user === undefined ? '' : ` --as ${quoted(user)}`;
  return {
    answer,
    text: `written down; the run goes on by itself: npx dagi crew show ${quoted(run)}${how}\n\n${text}`,
  };
}

/** How often, and after which pauses, a run is looked at that is to end. */
const LOOKS = 20;
const LOOK_PAUSE_MS = 250;

/** `dagi crew cancel`: stops a run, with every step of it, and waits a few seconds for its end. */
export async function cancelRun(
  client: DagiClient,
  run: string,
  { as }: { as?: string } = {},
  pauseMs = LOOK_PAUSE_MS,
): Promise<Told> {
  const who = as === undefined ? {} : { as };
  let told = toldRun(await ask(client, 'POST', `/crews/runs/${part(run)}/cancel${query({ user_id: as })}`), as);
  for (let looks = 0; looks < LOOKS && seenRun(told.answer).ended_at === null; looks += 1) {
    await sleep(pauseMs);
    told = await showRun(client, run, who);
  }
  return told;
}
