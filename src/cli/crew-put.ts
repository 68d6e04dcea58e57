import { z } from 'zod';
import { readCrewFile } from '../../config/crews.js';
import type { DagiClient } from './client.js';
import { ask, part, query, type Told } from './people.js';
import { plain } from './plain-text.js';
import type { Acting } from './proposal.js';
import { understood } from './understood.js';

const PutSchema = z.looseObject({ version: z.string(), crew: z.looseObject({ id: z.string(), name: z.string() }) });

/**
 * `dagi crew put`: gives a DAO the crew of a file, or another version of it.
 * @throws AppError `CONFIG_INVALID` with all that is wrong with the file
 */
export async function putCrew(client: DagiClient, file: string, { dao, as }: Acting = {}): Promise<Told> {
  const body = readCrewFile(file);
  const path = `/crews/${part(body.id)}${query({ dao_id: dao, user_id: as })}`;
  const answer = await ask(client, 'PUT', path, { body });
  const { crew, version } = understood(PutSchema, answer);
  const text = `crew ${crew.id}: ${crew.name}, version ${version}; its next runs go by this\n`;
  return { answer, text: plain(text) };
}

/** `dagi crew delete`: takes a DAO's own crew away; a shipped one of the same id is there again. */
export async function deleteCrew(client: DagiClient, id: string, { dao, as }: Acting = {}): Promise<Told> {
  const answer = await ask(client, 'DELETE', `/crews/${part(id)}${query({ dao_id: dao, user_id: as })}`);
  return { answer, text: plain(`crew ${id} is deleted; runs that are under way go on\n`) };
}
