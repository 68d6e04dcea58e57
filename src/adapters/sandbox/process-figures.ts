import { readFile, readdir } from 'node:fs/promises';

/** What the kernel tells about a process. */
export interface ProcessStat {
  pid: number;
  /** Of the program that it runs. */
  name: string;
  parent: number;
  session: number;
  threads: number;
  residentBytes: number;
  /** Whether it has ended and only waits for its parent to hear of it. */
  isZombie: boolean;
}

export interface ProcessUsage {
  /** Memory that the processes share is counted once. Without programs and libraries, which are files. */
  memory: number;
  /** Processes and threads. */
  processes: number;
}

/** Numbers of all processes below a `/proc`. */
export async function listProcesses(proc: string): Promise<number[]> {
  const names = await readdir(proc).catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** One process; undefined if there is none of this number. */
export async function readStat(proc: string, pid: number): Promise<ProcessStat | undefined> {
  const text = await readFile(`${proc}/${pid}/status`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    pid,
    name: /^Name:\t(.*)$/m.exec(text)?.[1] ?? '',
    parent: field('PPid'),
    session: field('NSsid'),
    threads: field('Threads'),
    residentBytes: field('VmRSS') * 1_024,
    isZombie: /^State:\s+[ZX]/m.test(text),
  };
}

/**
 * What processes use together. The kernel is asked for the exact sum, which is dear, only where the rough one, in which
 * shared memory counts many times, is over `memoryBytes`.
 */
export async function usageOf(proc: string, pids: readonly number[], memoryBytes: number): Promise<ProcessUsage> {
  const stats = (await Promise.all(pids.map((pid) => readStat(proc, pid)))).filter((found) => found !== undefined);
  const processes = stats.reduce((sum, { threads }) => sum + threads, 0);
  const rough = stats.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  if (rough <= memoryBytes) return { memory: rough, processes };
  const exact = await Promise.all(stats.map(({ pid, residentBytes }) => exactMemory(proc, pid, residentBytes)));
  return { memory: exact.reduce((sum, bytes) => sum + bytes, 0), processes };
}

async function exactMemory(proc: string, pid: number, fallback: number): Promise<number> {
  const text = await readFile(`${proc}/${pid}/smaps_rollup`, 'utf8').catch(() => undefined);
  if (!text) return fallback;
  const kib = [...text.matchAll(/^Pss_(?:Anon|Shmem):\s+(\d+) kB$/gm)].map(([, figure]) => Number(figure));
  return kib.reduce((sum, figure) => sum + figure, 0) * 1_024;
}
