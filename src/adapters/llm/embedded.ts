import { access } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { packagePath } from '../../../config/paths.js';
import { finishReasonOf, heldToContract } from './answer.js';
import { EMBEDDED_LACKS, embeddedCall } from './embedded-call.js';
import { EmbeddedProcess, type EmbeddedRun } from './embedded-process.js';
import { RESERVED_TOKENS } from './embedded-protocol.js';
import { EmbeddedFault } from './faults.js';
import { orAborted } from '../or-aborted.js';
import { type GenerateCall, type GenerateChunk, type KnownModel, type LlmProvider, ProviderError } from './provider.js';
import { Slots } from './slots.js';
import { translateEmbeddedError } from './translate.js';
import { usageOf } from './usage.js';

/** Calls that run at once: on a few cores a third one only makes all of them slower. */
export const EMBEDDED_SEQUENCES = 2;
/** Tokens that each of them can use, prompt and answer together. */
export const EMBEDDED_CONTEXT_TOKENS = 2_048;
/** Calls that may wait. At a few seconds a call more would wait longer than anybody does. */
export const EMBEDDED_MAX_WAITING = 32;

/**
 * One core is left to everything else. The model's threads wait for each other in busy loops, so a thread too many is
 * far worse than one too few: with one other busy program on two cores we measured 90 tokens/s on one thread, 10 on
 * two, and 0.3 on the library's default of four.
 */
const defaultThreads = (): number => Math.max(1, availableParallelism() - 1);

export interface EmbeddedOptions {
  name: string;
  /** The .gguf file. */
  modelPath: string;
  /** The compiled `embedded-child.js`; tests run it from the build too. */
  childPath?: string;
  sequences?: number;
  contextTokens?: number;
  maxWaiting?: number;
  threads?: number;
}

/** A small model on this machine, in a process of its own that is started by the first call. */
export class EmbeddedProvider implements LlmProvider {
  readonly name: string;
  private readonly slots: Slots;
  private process: EmbeddedProcess | undefined;
  private closed = false;

  constructor(private readonly options: EmbeddedOptions) {
    this.name = options.name;
    this.slots = new Slots(options.sequences ?? EMBEDDED_SEQUENCES, options.maxWaiting ?? EMBEDDED_MAX_WAITING);
  }

  /** Process id of the child, while it lives. */
  get pid(): number | undefined {
    return this.process?.fault ? undefined : this.process?.pid;
  }

  model(): Promise<string> {
    return Promise.resolve(basename(this.options.modelPath, '.gguf'));
  }

  generate(call: GenerateCall): AsyncIterable<GenerateChunk> {
    return heldToContract(this.chunks(call), {
      signal: call.signal,
      options: call.options,
      translate: (error, textYielded) => this.translate(error, call.signal, textYielded),
    });
  }

  /**
   * Whether a call would find the model: loaded, or with its file in place. Does not start the process, since this may
   * be a fallback that is never needed.
   */
  async check(signal: AbortSignal): Promise<void> {
    try {
      if (this.closed) throw new EmbeddedFault('closed');
      if (this.process && !this.process.fault) await orAborted(this.process.ready, signal);
      else if (this.process?.fault?.reason === 'unloadable') throw this.process.fault;
      else await access(this.options.modelPath).catch(() => Promise.reject(new EmbeddedFault('missing')));
    } catch (error) {
      throw this.translate(error, signal, false);
    }
  }

  /** Loads the model and generates one token, so that the first caller waits for neither disk nor allocation. */
  async warmUp(signal: AbortSignal): Promise<void> {
    const messages: GenerateCall['messages'] = [{ role: 'user', content: 'Hello' }];
    try {
      const chunks = this.generate({ messages, maxTokens: 1, temperature: 0, topP: 1, signal })[Symbol.asyncIterator]();
      while (!(await chunks.next()).done);
    } catch (error) {
      // One token may well be a blank.
      if (!(error instanceof ProviderError) || error.type !== 'EmptyAnswer') throw error;
    }
  }

  async facts(): Promise<KnownModel> {
    return {
      model: await this.model(),
      contextLength: (this.options.contextTokens ?? EMBEDDED_CONTEXT_TOKENS) - RESERVED_TOKENS,
      capabilities: ['completion', 'json_schema'],
      lacks: EMBEDDED_LACKS,
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.process?.stop();
  }

  private translate(error: unknown, signal: AbortSignal, textYielded: boolean): ProviderError {
    return translateEmbeddedError(error, { provider: this.name, model: 'the model', signal, textYielded });
  }

  private async running(signal: AbortSignal): Promise<EmbeddedProcess> {
    if (this.closed) throw new EmbeddedFault('closed');
    const { modelPath, childPath, sequences, contextTokens, threads } = this.options;
    if (!this.process || this.process.fault) {
      this.process = new EmbeddedProcess(childPath ?? packagePath('dist', 'src/adapters/llm/embedded-child.js'), {
        modelPath,
        sequences: sequences ?? EMBEDDED_SEQUENCES,
        contextTokens: contextTokens ?? EMBEDDED_CONTEXT_TOKENS,
        threads: threads ?? defaultThreads(),
      });
    }
    const process = this.process;
    await orAborted(process.ready, signal);
    return process;
  }

  private async *chunks(call: GenerateCall): AsyncGenerator<GenerateChunk> {
    const { signal } = call;
    const told = embeddedCall(call);
    const release = await this.slots.acquire(signal);
    let settled = Promise.resolve();
    try {
      const process = await this.running(signal);
      signal.throwIfAborted();
      const run = process.generate(told);
      call.onSent?.();
      settled = run.settled;
      yield* read(run, signal);
    } finally {
      // The slot is free when the model has stopped, which is later than the caller's going away.
      void settled.then(release);
    }
  }
}

async function* read(run: EmbeddedRun, signal: AbortSignal): AsyncGenerator<GenerateChunk> {
  const abort = (): void => {
    run.abort(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const event of run.events) {
      if (event.type === 'text') yield event;
      else {
        const usage = usageOf(event.promptTokens, event.completionTokens);
        yield { type: 'end', finishReason: finishReasonOf(event.finishReason), usage };
      }
    }
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
