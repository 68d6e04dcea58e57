import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server';
import { toAppError } from '../../middleware/error.filter.js';
import type { KnownAddress } from './resources.js';
import type { Reader } from './reading.js';

/** How often it is looked whether something has changed, in milliseconds. */
export const LOOK_EVERY_MS = 2_000;
/** Of the time of a watch looking takes at most one part in so many: whoever watches what is long is told later. */
const REST = 10;
/** Who takes nothing of what is told for so long is gone, in milliseconds. */
const GONE_AFTER_MS = 60_000;

/** What is watched, and for whom. */
export interface WatchParts {
  addresses: ReadonlyMap<string, KnownAddress>;
  /** Who reads, as their key stands now; undefined: it opens nothing any more. */
  reader: () => Promise<Reader | undefined>;
  read: (reader: Reader, address: KnownAddress) => Promise<object>;
  /** Whether the subscriber has not taken yet what was told before. */
  isBehind: () => boolean;
  /** Ends the subscription: in words, or (`lost`) since nobody listens. */
  end: (how: 'over' | 'lost') => void;
  /** Told of what went wrong with a look that is taken again later. */
  failed: (error: unknown) => void;
  /** Ends with the signal, or when the process stops. */
  orStopping: (signal: AbortSignal) => AbortSignal;
  everyMs?: number;
}

/**
 * What a subscription is told: for as long as its stream is open, all that it names is read again and again, as the
 * subscriber, and what is no longer the same is told. Nobody has to publish anything, so no change is missed, whichever
 * process makes it.
 */
export class Watch implements ServerEventBus {
  /** What each address held when it was told last. */
  private readonly seen = new Map<string, string>();
  private behindSince: number | undefined;

  constructor(private readonly parts: WatchParts) {}

  /** Takes a first look. @throws whatever refuses an address to the subscriber */
  async begin(reader: Reader, refused: (uri: string, error: unknown) => Error): Promise<void> {
    for (const [uri, address] of this.parts.addresses) {
      try {
        this.seen.set(uri, digestOf(await this.parts.read(reader, address)));
      } catch (error) {
        throw refused(uri, error);
      }
    }
  }

  /** Nothing is published: it is looked for. */
  publish(): void {
    // See above.
  }

  /** Watches from now on, until what is returned is called. */
  subscribe(tell: (event: ServerEvent) => void): () => void {
    const closed = new AbortController();
    void this.watch(tell, closed.signal);
    return () => {
      closed.abort();
    };
  }

  private async watch(tell: (event: ServerEvent) => void, closed: AbortSignal): Promise<void> {
    const { everyMs = LOOK_EVERY_MS, end, orStopping } = this.parts;
    const until = orStopping(closed);
    let isOpen = true;
    let tookMs = 0;
    while (isOpen && (await passed(Math.max(everyMs, tookMs * REST), until))) {
      if (this.isGone()) {
        end('lost');
        return;
      }
      // What a slow subscriber has not taken is not added to: it is told later how things are by then.
      if (this.behindSince !== undefined) continue;
      const began = performance.now();
      isOpen = await this.look(tell, until).catch((error: unknown) => this.isForLater(error));
      tookMs = performance.now() - began;
    }
    if (!closed.aborted) end('over');
  }

  /** Tells what has changed. @returns whether the subscriber may go on listening */
  private async look(tell: (event: ServerEvent) => void, until: AbortSignal): Promise<boolean> {
    const reader = await this.parts.reader();
    if (!reader) return false;
    for (const [uri, address] of this.parts.addresses) {
      if (until.aborted) return true;
      const digest = digestOf(await this.parts.read(reader, address));
      if (digest === this.seen.get(uri)) continue;
      this.seen.set(uri, digest);
      tell({ kind: 'resource_updated', uri });
    }
    return true;
  }

  /** A database that is away comes back; who may not read any more has read enough. */
  private isForLater(error: unknown): boolean {
    const { status } = toAppError(error);
    const isLater = status >= 500 || status === 429;
    if (isLater) this.parts.failed(error);
    return isLater;
  }

  private isGone(): boolean {
    if (!this.parts.isBehind()) this.behindSince = undefined;
    else this.behindSince ??= performance.now();
    return this.behindSince !== undefined && performance.now() - this.behindSince > GONE_AFTER_MS;
  }
}

const digestOf = (shown: object): string => createHash('sha256').update(JSON.stringify(shown)).digest('base64');

/** Waits; false: it is over meanwhile. */
const passed = (ms: number, until: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal: until, ref: false }).catch(() => false);
