import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readCrewText } from '../../config/crews.js';
import { packagePath } from '../../config/paths.js';
import { starterCrew } from './crew-starter.js';
import { CliError } from './failure.js';

/**
 * `dagi crew new`: writes the file of a small crew to begin with.
 * @param path where; left out: `<id>.yml` in the working folder
 * @returns the absolute path of the file
 * @throws CliError `FILE_EXISTS`, `FILE_UNWRITABLE`; AppError `CONFIG_INVALID` for what is no id
 */
export async function newCrew(id: string, path = `${id}.yml`): Promise<string> {
  const file = resolve(path);
  const text = starterCrew(id, packagePath('config', 'crew.schema.json'));
  readCrewText(text, file);
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    throw unwritable(file, (error as NodeJS.ErrnoException).code, error);
  }
  return file;
}

function unwritable(file: string, code = 'unknown error', cause: unknown): CliError {
  return code === 'EEXIST'
    ? new CliError('FILE_EXISTS', `${file} is there already: name another with --file.`, {}, { cause })
    : new CliError('FILE_UNWRITABLE', `${file} cannot be written (${code}): name another with --file.`, {}, { cause });
}
