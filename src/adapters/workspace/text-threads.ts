import { Worker } from 'node:worker_threads';
import { Semaphore } from 'async-mutex';
import type { TextJobs } from './text-jobs.js';

const THREADS = 2;
const LONGEST_MS = 5_000;
const MOST_MEMORY = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64 };
// Beside this file, in the sources as among the compiled.
const FILE = new URL(import.meta.url.endsWith('.ts') ? './text-worker.ts' : './text-worker.js', import.meta.url);

interface ThreadOptions {
  file?: URL;
  longestMs?: number;
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

  constructor({ file = FILE, longestMs = LONGEST_MS }: ThreadOptions = {}) {
    this.file = file;
    this.longestMs = longestMs;
  }

  /**
   * Has a thread do a job, as soon as one is free.
   * @returns undefined if it takes too long, or more memory than there is for it
   */
  run<Name extends keyof TextJobs>(
    name: Name,
    ask: TextJobs[Name]['ask'],
  ): Promise<TextJobs[Name]['answer'] | undefined> {
    return this.places.runExclusive(() => this.ask(this.take(), { name, ask }));
  }

  private take(): Worker {
    const [thread = this.start()] = this.idle;
    this.idle.delete(thread);
    thread.ref();
    return thread;
  }

  private start(): Worker {
    const thread = new Worker(this.file, { env: {}, execArgv: [], resourceLimits: MOST_MEMORY });
    thread.on('exit', () => this.idle.delete(thread));
    // Whoever has a job there is told; of an idle one nobody needs to know.
    thread.on('error', () => undefined);
    return thread;
  }

  private async ask<T>(thread: Worker, message: unknown): Promise<T | undefined> {
    const end = await this.endOf<T>(thread, message);
    if ('answer' in end) {
      thread.unref();
      this.idle.add(thread);
      return end.answer;
    }
    await thread.terminate();
    if (end.error === undefined || codeOf(end.error) === 'ERR_WORKER_OUT_OF_MEMORY') return undefined;
    throw new Error('A thread for texts failed', { cause: end.error });
  }

  /** An error of undefined: the time was up. */
  private endOf<T>(thread: Worker, message: unknown): Promise<{ answer: T | undefined } | { error: unknown }> {
    const { promise, resolve } = Promise.withResolvers<{ answer: T | undefined } | { error: unknown }>();
    const onMessage = (answer: T | undefined): void => resolve({ answer });
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
