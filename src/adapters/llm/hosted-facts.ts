import type { Capability } from '../../contracts/chat.js';
import { orAborted } from '../or-aborted.js';

/** What an endpoint tells of a model; what is absent it does not tell. */
export interface Told {
  contextLength?: number;
  capabilities?: readonly Capability[];
}

/** How long what was told is kept, in milliseconds: a model may be loaded anew with another context. */
const KEPT_MS = 5 * 60_000;
/** How long an endpoint that failed to tell is left in peace. */
const FAILED_MS = 15_000;
/** Longest wait for an endpoint to tell. */
const ASK_MS = 10_000;

/** Something that an endpoint tells: asked for when it is wanted, kept for some minutes, shared by all who want it. */
export class Remembered<T> {
  private value: T | undefined;
  private freshUntil = 0;
  private asking: Promise<void> | undefined;

  /** @param ask asks the endpoint; may throw anything */
  constructor(private readonly ask: (signal: AbortSignal) => Promise<T>) {}

  /**
   * What is known. Only the first to ask waits, no longer than the signal; later on what is old serves until there is
   * something newer. Undefined: the endpoint has not told. Never throws.
   */
  async get(signal: AbortSignal): Promise<T | undefined> {
    if (Date.now() >= this.freshUntil) this.asking ??= this.refresh();
    if (this.value === undefined && this.asking) await orAborted(this.asking, signal).catch(() => undefined);
    return this.value;
  }

  private async refresh(): Promise<void> {
    try {
      // A limit of its own: several wait for this, and no one of them may cancel it for the others.
      this.take(await this.ask(AbortSignal.timeout(ASK_MS)));
    } catch {
      this.freshUntil = Date.now() + FAILED_MS;
    } finally {
      this.asking = undefined;
    }
  }

  /** Something that was told on another occasion. */
  take(value: T): void {
    this.value = value;
    this.freshUntil = Date.now() + KEPT_MS;
  }
}

/** As configured. Whoever lists what a model can do besides answering need not say that it answers. */
export function configuredCapabilities(given: readonly Capability[] | undefined): readonly Capability[] | undefined {
  if (!given || given.length === 0) return undefined;
  const answers = given.includes('completion') || given.every((one) => one === 'embeddings');
  return answers ? given : ['completion', ...given];
}
