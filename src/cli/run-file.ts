import { constants } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive } from '../adapters/supply/is-alive.js';
import { distrust } from '../adapters/supply/trust.js';

const RunFileSchema = z.object({
  pid: z.number().int().positive(),
  url: z.url(),
  /** Absent: it serves no MCP. */
  mcp_url: z.url().optional(),
  temporal_address: z.string(),
  temporal_ui: z.string().nullable(),
  started_at: z.string(),
});

/** Where a running instance can be reached: `run.json` in its DAGI_HOME. */
export type RunFile = z.infer<typeof RunFileSchema>;

const pathIn = (home: string): string => join(home, 'run.json');

/** Tells other commands about this instance. Only its owner may read it. */
export async function writeRunFile(home: string, content: RunFile): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const draft = `${pathIn(home)}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, pathIn(home));
}

/** The instance that runs on this home, or undefined: no file, an unreadable one, one that is not ours, or one whose process has gone. */
export async function readRunFile(home: string): Promise<RunFile | undefined> {
  const text = await readOwn(pathIn(home)).catch(() => undefined);
  const content = text === undefined ? undefined : parse(text);
  return content && isAlive(content.pid) ? content : undefined;
}

/** Removes the file, if it is this process's own. */
export async function removeRunFile(home: string): Promise<void> {
  const text = await readOwn(pathIn(home)).catch(() => undefined);
  if (text !== undefined && parse(text)?.pid === process.pid) await rm(pathIn(home), { force: true });
}

/** Commands send their key to where the file points: only a file that nobody else can have written counts. */
async function readOwn(path: string): Promise<string | undefined> {
  // A named pipe would keep us waiting.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    const ours = process.getuid === undefined || found.uid === process.getuid();
    return found.isFile() && ours && distrust(found) === undefined ? await file.readFile('utf8') : undefined;
  } finally {
    await file.close();
  }
}

function parse(text: string): RunFile | undefined {
  try {
    return RunFileSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
