import { createHash } from 'node:crypto';
import { appendFile, chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Mutex } from 'async-mutex';
import { PLATFORM_CHAIN, type HeadPublisher, type SignedHead } from '../contracts/audit.js';

/** What may be the name of a folder as it is; ids of DAOs are, but for some that are older than that rule. */
const PLAIN = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const PLATFORM_FOLDER = '_platform';

/** Heads in a file for each chain, a JSON line a day. Everybody may read them: that is what they are for. */
export class HeadFiles implements HeadPublisher {
  private readonly mutex = new Mutex();

  /** @param folder where a folder for each chain is; made if need be, and left as it is if somebody else made it */
  constructor(private readonly folder: () => string) {}

  /** The file of a chain. */
  fileOf(chain: string): string {
    return join(this.folder(), folderOf(chain), 'heads.jsonl');
  }

  publish(head: SignedHead): Promise<boolean> {
    return this.mutex.runExclusive(() => this.add(head));
  }

  private async add(head: SignedHead): Promise<boolean> {
    const file = this.fileOf(head.chain);
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) await openFolders(dirname(dirname(file)), dirname(file));
    if (daysIn(text ?? '').has(head.day)) return false;
    // A line that a crash cut off stays as it is, and is no line of ours.
    const isCutOff = text !== undefined && text !== '' && !text.endsWith('\n');
    await appendFile(file, `${isCutOff ? '\n' : ''}${JSON.stringify(head)}\n`, { mode: 0o644 });
    // What the process makes is for its own user, unless it says otherwise.
    if (text === undefined) await chmod(file, 0o644);
    return true;
  }
}

/** Makes folders that everybody may enter, whatever the process says of what it makes. */
async function openFolders(above: string, own: string): Promise<void> {
  if ((await mkdir(above, { recursive: true })) !== undefined) await chmod(above, 0o755);
  await mkdir(own, { recursive: true });
  await chmod(own, 0o755);
}

function folderOf(chain: string): string {
  if (chain === PLATFORM_CHAIN) return PLATFORM_FOLDER;
  return PLAIN.test(chain) ? chain : `_${createHash('sha256').update(chain).digest('hex')}`;
}

function daysIn(text: string): Set<unknown> {
  const days = text.split('\n').map((line) => {
    try {
      return (JSON.parse(line) as { day?: unknown } | null)?.day;
    } catch {
      return undefined;
    }
  });
  return new Set(days);
}
