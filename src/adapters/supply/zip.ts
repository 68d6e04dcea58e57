import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/**
 * Extracts the first file of a zip archive whose path matches.
 * @throws Error if there is none, or the archive is damaged.
 */
export async function extractEntry(archive: string, wanted: RegExp, target: string): Promise<string> {
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (!wanted.test(entry.fileName)) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
      return target;
    }
  } finally {
    zip.close();
  }
  throw new Error(`the archive holds no file ${wanted.source}`);
}
