import { Worker } from 'node:worker_threads';
import { Semaphore } from 'async-mutex';
import type { TextJobs } from './text-jobs.js';

const THREADS = 2;
const LONGEST_MS = 5_000;
const MOST_MEMORY_MB = 512;
// Beside this file, in the sources as among the compiled.
const FILE = new URL(import.meta.url.endsWith('.ts') ? './text-worker.ts' : './text-worker.js', import.meta.url);

/** What came of a job. An error of undefined: its time was up. */
type End = { answer: unknown } | { error: unknown };

interface ThreadOptions {
  file?: URL;
  /** Longest time for a job, once a thread has it. */
  longestMs?: number;
  /** Of a thread. */
  memoryMb?: number;
}

/**
 * Threads for work on texts: some of it grows with the square of the texts, and nobody else could be served meanwhile.
 * They are started when they are needed, and kept; idle ones do not keep the process.
 */
export class TextThreads {
  private readonly places = new Semaphore(THREADS);
  private readonly idle = new Set<Worker>();
  private readonly file: URL;
  private readonly longestMs: number;
  private readonly memoryMb: number;

  constructor({ file = FILE, longestMs = LONGEST_MS, memoryMb = MOST_MEMORY_MB }: ThreadOptions = {}) {
    this.file = file;
    this.longestMs = longestMs;
    this.memoryMb = memoryMb;
  }

  /**
   * Has a thread do a job, as soon as one is free.
   * @returns undefined if it takes too long, or more memory than there is for it
   */
  run<Name extends keyof TextJobs>(
    name: Name,
    ask: TextJobs[Name]['ask'],
  ): Promise<TextJobs[Name]['answer'] | undefined> {
    return this.places.runExclusive(() => this.ask(this.take(), { name, ask })) as Promise<
      TextJobs[Name]['answer'] | undefined
    >;
  }

  private take(): Worker {
    const [thread = this.start()] = this.idle;
    this.idle.delete(thread);
    thread.ref();
    return thread;
  }

  private start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: this.memoryMb };
    const thread = new Worker(this.file, { env: {}, execArgv: [], resourceLimits });
    thread.on('exit', () => this.idle.delete(thread));
    // Whoever has a job there is told; of an idle one nobody needs to know.
    thread.on('error', () => undefined);
    return thread;
  }

  private async ask(thread: Worker, message: unknown): Promise<unknown> {
    const end = await this.endOf(thread, message);
    if ('answer' in end) {
      thread.unref();
      this.idle.add(thread);
      return end.answer;
    }
    await thread.terminate();
    if (end.error === undefined || codeOf(end.error) === 'ERR_WORKER_OUT_OF_MEMORY') return undefined;
    throw new Error('A thread for texts failed', { cause: end.error });
  }

  private endOf(thread: Worker, message: unknown): Promise<End> {
    const { promise, resolve } = Promise.withResolvers<End>();
    const onMessage = (answer: unknown): void => resolve({ answer });
    const onError = (error: unknown): void => resolve({ error });
    const onExit = (code: number): void => resolve({ error: new Error(`ended with ${code}`) });
    const timer = setTimeout(() => resolve({ error: undefined }), this.longestMs);
    thread.once('message', onMessage).once('error', onError).once('exit', onExit);
    thread.postMessage(message);
    return promise.finally(() => {
      clearTimeout(timer);
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
    });
  }
}

/** Those of this process. */
export const textThreads = new TextThreads();

const codeOf = (error: unknown): unknown => (Error.isError(error) && 'code' in error ? error.code : undefined);
