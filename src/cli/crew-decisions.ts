import type { GateDecision } from '../contracts/crew.js';
import type { DagiClient } from './client.js';
import { toldRun } from './crew-seen.js';
import { ask, part, query, type Told } from './people.js';

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
  return toldRun(await ask(client, 'POST', `/crews/runs/${part(run)}/${decision}`, { body }));
}

/** `dagi crew cancel`: stops a run, with every step of it. */
export async function cancelRun(client: DagiClient, run: string, { as }: { as?: string } = {}): Promise<Told> {
  return toldRun(await ask(client, 'POST', `/crews/runs/${part(run)}/cancel${query({ user_id: as })}`));
}
