import { type ChildProcess, fork } from 'node:child_process';
import { finished, Readable } from 'node:stream';
import {
  type FromChild,
  FromChild as FromChildSchema,
  type GenerateMessage,
  type LoadMessage,
} from './embedded-protocol.js';
import { EmbeddedFault } from './faults.js';
import { ProviderError } from './provider.js';

export type AnswerEvent = Extract<FromChild, { type: 'text' | 'end' }>;

/** A call under way in the child. */
export interface EmbeddedRun {
  events: ReadableStream<AnswerEvent>;
  /** Resolves once the child is done with it, however it ended: its sequence is free. */
  settled: Promise<void>;
  /** Stops the model, and fails the reader with this reason. Does nothing once the call is over. */
  abort(reason: unknown): void;
}

interface Sink {
  /** Absent once nobody reads any more; the sequence is still busy then. */
  controller: ReadableStreamDefaultController<AnswerEvent> | undefined;
  settle: () => void;
}

/** How long an aborted call may go on before the child counts as hung; a batch of a long prompt takes seconds. */
const ABORT_GRACE_MS = 15_000;
const STOP_GRACE_MS = 2_000;
const STDERR_CHARS = 2_000;

function failureOf(reason: Extract<FromChild, { type: 'failed' }>['reason']): Error {
  if (reason !== 'format') return new EmbeddedFault(reason);
  const message = 'the model of this machine cannot keep to this JSON schema: no grammar can be made of it';
  return new ProviderError('ProviderRejected', message, undefined, { parameter: 'response_format' });
}

/** One life of the child process that holds the model. A dead one stays dead; the provider starts another. */
export class EmbeddedProcess {
  /** Settles once the model is loaded, or cannot be. */
  readonly ready: Promise<void>;
  readonly pid: number | undefined;
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;
  private readonly sinks = new Map<number, Sink>();
  private death: EmbeddedFault | undefined;
  private stderr = '';
  private lastId = 0;
  private loaded: (fault?: EmbeddedFault) => void = () => undefined;

  /** @param path the compiled `embedded-child.js` */
  constructor(path: string, load: Omit<LoadMessage, 'type'>) {
    this.ready = new Promise((resolve, reject) => {
      this.loaded = (fault) => {
        if (fault) reject(fault);
        else resolve();
      };
    });
    // Its callers may all have gone away before it fails.
    this.ready.catch(() => undefined);
    // Nothing of the parent's: no secrets in the environment, no flags, and standard output stays the parent's own.
    this.child = fork(path, { env: {}, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.pid = this.child.pid;
    const stderr = this.child.stderr ?? Readable.from([]);
    this.gone = new Promise((resolve) => {
      const end = (cause: Error): void => {
        this.die(new EmbeddedFault('crashed', { cause }));
        resolve();
      };
      this.child.once('error', end);
      // The last words come after `exit`; the child's `close` does not come at all once we have disconnected.
      this.child.once('exit', () => {
        finished(stderr, () => {
          end(this.lastWords());
        });
      });
    });
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_CHARS);
    });
    this.child.on('message', (raw) => {
      this.receive(raw);
    });
    this.send({ type: 'load', ...load });
  }

  /** Why it is dead; undefined while it lives. */
  get fault(): EmbeddedFault | undefined {
    return this.death;
  }

  /** Starts a call. The caller sees to it that there are no more of them than sequences. */
  generate(call: Omit<GenerateMessage, 'type' | 'id'>): EmbeddedRun {
    if (this.death) throw this.death;
    const id = ++this.lastId;
    let settle = (): void => undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const events = new ReadableStream<AnswerEvent>({
      start: (controller) => {
        this.sinks.set(id, { controller, settle });
      },
      cancel: (reason) => {
        this.abort(id, reason);
      },
    });
    try {
      this.send({ type: 'generate', id, ...call });
    } catch (cause) {
      this.sinks.delete(id);
      throw new ProviderError('ProviderRejected', 'the call is too large for the model of this machine', undefined, {
        parameter: 'messages',
        cause,
      });
    }
    return {
      events,
      settled,
      abort: (reason) => {
        this.abort(id, reason);
      },
    };
  }

  /** Ends the process at once; calls under way fail. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.die(new EmbeddedFault('closed'));
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.gone;
    clearTimeout(timer);
  }

  private lastWords(): Error {
    return new Error(this.stderr || 'it wrote nothing');
  }

  private abort(id: number, reason: unknown): void {
    const sink = this.sinks.get(id);
    if (!sink?.controller) return;
    sink.controller.error(reason);
    sink.controller = undefined;
    this.send({ type: 'abort', id });
    const timer = setTimeout(() => this.child.kill('SIGKILL'), ABORT_GRACE_MS);
    const { settle } = sink;
    sink.settle = () => {
      clearTimeout(timer);
      settle();
    };
  }

  private send(message: object): void {
    // A failed send means a closed channel: the exit that follows fails the calls.
    this.child.send(message, () => undefined);
  }

  private receive(raw: unknown): void {
    const parsed = FromChildSchema.safeParse(raw);
    if (!parsed.success) {
      this.child.kill('SIGKILL');
      return;
    }
    const message = parsed.data;
    if (message.type === 'ready') this.loaded();
    else if (message.type === 'unloadable') {
      this.die(new EmbeddedFault(message.reason, { cause: this.lastWords() }));
      this.child.disconnect();
    } else this.deliver(message);
  }

  private deliver(message: Exclude<FromChild, { type: 'ready' | 'unloadable' }>): void {
    const sink = this.sinks.get(message.id);
    if (!sink) return;
    if (message.type !== 'failed') sink.controller?.enqueue(message);
    if (message.type === 'text') return;
    this.sinks.delete(message.id);
    if (message.type === 'end') sink.controller?.close();
    else sink.controller?.error(failureOf(message.reason));
    sink.settle();
  }

  private die(fault: EmbeddedFault): void {
    if (this.death) return;
    this.death = fault;
    this.loaded(fault);
    for (const { controller, settle } of this.sinks.values()) {
      controller?.error(fault);
      settle();
    }
    this.sinks.clear();
  }
}
