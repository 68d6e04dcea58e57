import type { CrewDefinition } from '../../contracts/crew.js';
import { uriOf } from '../resources/address.js';
import type { Asking } from './prompt.js';

/** Most of each that a prompt tells of. */
const MOST = 20;

/** Open proposals, and what waits for whoever asks. @throws AppError those of the services */
export async function newsOf({ parts, reader, acting: { daoId } }: Asking): Promise<object> {
  const named = reader.actingIn({ daoId });
  const [open, asked] = await Promise.all([
    parts.proposals.list(reader.key, named, { limit: MOST, stage: 'open' }),
    parts.runs.asked(reader.key, named),
  ]);
  return {
    open_proposals: open.items.map(({ n, title, closes_at: closes }) => ({
      ...{ number: n, title, closes_at: closes, uri: uriOf({ daoId, kind: 'proposal', n }) },
    })),
    ...(open.next !== null && { more_proposals: true }),
    waiting_for_me: asked
      .slice(0, MOST)
      .map(({ run_id: run, crew, kind, ask, expires_at: expires }) => ({ run_id: run, crew, kind, ask, expires })),
    ...(asked.length > MOST && { more_waiting: asked.length - MOST }),
  };
}

/** What a crew is, and what it is to be given. @throws AppError `CREW_NOT_FOUND` and those of access */
export async function inputsOf(
  { parts, reader, acting: { daoId } }: Asking,
  crew: string,
): Promise<Pick<CrewDefinition, 'name' | 'description' | 'inputs'>> {
  return (await parts.crews.get(reader.key, reader.actingIn({ daoId }), crew)).definition;
}
