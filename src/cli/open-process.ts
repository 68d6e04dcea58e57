import type { Env } from '../../config/env.js';
import { AppError } from '../errors/app-error.js';
import type { Runtime, RuntimeParts } from '../runtime.js';

/**
 * Opens a process of the product. Its code is loaded this late so that a start that cannot succeed says so at once.
 * @throws AppError; one about the database names where it was looked for
 */
export async function openProcess(env: Env, parts: RuntimeParts): Promise<Runtime> {
  const { openRuntime } = await import('../runtime.js');
  try {
    return await openRuntime(env, parts);
  } catch (error) {
    throw nameDatabase(error, env);
  }
}

/** A failure of a database that is away, with its host and never its password; any other as it is. */
export function nameDatabase(
  error: unknown,
  { DATABASE_URL, DATABASE_MIGRATION_URL }: Pick<Env, 'DATABASE_URL' | 'DATABASE_MIGRATION_URL'>,
): unknown {
  if (!(error instanceof AppError) || error.code !== 'STORE_UNAVAILABLE') return error;
  const variables = Object.entries({ DATABASE_URL, DATABASE_MIGRATION_URL });
  const places = variables.flatMap(([name, url]) => (url === undefined ? [] : [`${new URL(url).host} (${name})`]));
  if (places.length === 0) return error;
  const sentence = `The database does not answer: start ${places.join(' and ')}, or correct the address.`;
  return new AppError('STORE_UNAVAILABLE', sentence, {}, { cause: error });
}
