import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Failure } from '../contracts/failures.js';
import type { ProviderInfo, ProviderStates } from '../contracts/providers.js';
import type { Unavailable } from '../contracts/request.js';
import type { SharedMoment, SharedState } from '../contracts/shared-state.js';
import {
  abandoned,
  coolingFor,
  entered,
  failed,
  isPristine,
  isProbe,
  isTelling,
  PRISTINE,
  readCooldown,
  stateOf,
  succeeded,
  wantsProbe,
  withoutLostProbe,
  type Call,
  type Cooldown,
} from '../domain/cooldown.js';

const PREFIX = 'cooldown:';
/** How old the copy may be that answers, and from which age on a new one is fetched behind the answer, in milliseconds. */
const MAX_AGE_MS = 1_000;
const RENEW_AGE_MS = 500;
/** Nobody waits longer than this for what only spares failing calls, in milliseconds. */
const PATIENCE_MS = 300;

/** State and cooldown of a provider as `GET /providers` tells them. */
export type CooldownInfo = Pick<ProviderInfo, 'state' | 'cooldown'>;

interface Copy {
  at: number;
  states: ReadonlyMap<string, Cooldown>;
}

interface Change {
  before: Cooldown;
  after: Cooldown;
}

/**
 * Which providers are left alone since they failed, shared by all processes. Cooldowns only spare calls that would
 * probably fail: where they cannot be read or written, calls go on as if nothing were cooling, and nothing here throws.
 */
export class ProviderStatesService implements ProviderStates {
  private copy: Copy = { at: -Infinity, states: new Map() };
  private renewing: Promise<void> | undefined;
  /** Counted, so that a reading that was overtaken by a change of ours is not taken. */
  private changes = 0;
  private isAway = false;
  /** What the shared clock is ahead of ours, as far as it is known, in milliseconds. */
  private clockAheadMs = 0;

  constructor(
    private readonly shared: SharedState,
    private readonly log: Logger,
    private readonly patienceMs: number = PATIENCE_MS,
  ) {}

  async unavailable(names: readonly string[]): Promise<Unavailable[]> {
    const states = await this.states();
    return names.flatMap((name) => refusal(name, coolingFor(states.get(name) ?? PRISTINE, this.now())) ?? []);
  }

  async isWell(provider: string): Promise<boolean> {
    return (await this.known(provider)).level === 0;
  }

  async enter(provider: string, requestId: string): Promise<Unavailable | undefined> {
    const known = await this.known(provider);
    if (!wantsProbe(known, this.now())) return refusal(provider, coolingFor(known, this.now()));
    let waitMs: number | undefined;
    await this.change(provider, (state, { now }) => {
      const entry = entered(state, this.call(requestId), now);
      waitMs = entry.waitMs;
      return entry.state;
    });
    return refusal(provider, waitMs);
  }

  async succeeded(provider: string, requestId: string): Promise<void> {
    if (isPristine(await this.known(provider))) return;
    const change = await this.change(provider, (state, { now }) => succeeded(state, now));
    if (change && change.before.level > 0 && change.after.level === 0) {
      this.log.info({ provider, request_id: requestId }, 'a provider that was left alone answers again');
    }
  }

  async failed(provider: string, failure: Failure, requestId: string): Promise<void> {
    if (!isTelling(failure)) return this.abandoned(provider, requestId);
    const call = this.call(requestId);
    const change = await this.change(provider, (state, { now }) => failed(state, failure, call, now));
    if (!change || change.after.coolUntil === change.before.coolUntil) return;
    const { coolUntil, failures } = change.after;
    const until = new Date(coolUntil).toISOString();
    this.log.warn({ provider, until, failures, reason: failure.type }, 'a provider failed too often and is left alone');
  }

  async abandoned(provider: string, requestId: string): Promise<void> {
    const call = this.call(requestId);
    if (isProbe(await this.known(provider), call)) await this.change(provider, (state) => abandoned(state, call));
  }

  /** What is known of a provider, for whoever watches; up to a second old. */
  async describe(provider: string): Promise<CooldownInfo> {
    const known = await this.known(provider);
    const state = stateOf(known, this.now());
    if (state === 'ok') return { state, cooldown: null };
    const { failures, lastReason, coolUntil } = known;
    const until = new Date(coolUntil).toISOString();
    return { state, cooldown: { until, failures, reason: lastReason ?? 'unknown' } };
  }

  /** A request's call in this process. */
  private call(requestId: string): Call {
    return { by: this.shared.processId, requestId };
  }

  /** Now, by the shared clock. */
  private now(): number {
    return Date.now() + this.clockAheadMs;
  }

  private async known(provider: string): Promise<Cooldown> {
    return (await this.states()).get(provider) ?? PRISTINE;
  }

  /** The copy. Under load it is renewed before it is too old, so that nobody waits for it. */
  private async states(): Promise<Copy['states']> {
    const age = performance.now() - this.copy.at;
    if (age < RENEW_AGE_MS) return this.copy.states;
    this.renewing ??= this.renew().finally(() => {
      this.renewing = undefined;
    });
    if (age >= MAX_AGE_MS) await this.renewing;
    return this.copy.states;
  }

  private async renew(): Promise<void> {
    const { changes } = this;
    const values = (await this.patiently(this.shared.read(PREFIX))) ?? new Map<string, unknown>();
    if (changes !== this.changes) return;
    const states = [...values].map(([name, value]): [string, Cooldown] => [
      name.slice(PREFIX.length),
      readCooldown(value),
    ]);
    this.copy = { at: performance.now(), states: new Map(states) };
    for (const [provider, { probe }] of states) if (probe) await this.releaseLostProbe(provider, probe.by);
  }

  private async releaseLostProbe(provider: string, by: string): Promise<void> {
    if (by === this.shared.processId) return;
    await this.change(provider, (state, { alive }) => withoutLostProbe(state, alive));
  }

  /** Changes what all share, and the copy with it. Undefined: it could not be done. */
  private change(
    provider: string,
    change: (state: Cooldown, moment: SharedMoment) => Cooldown,
  ): Promise<Change | undefined> {
    const changing = this.shared.change<unknown, Change & { now: number }>(`${PREFIX}${provider}`, (value, moment) => {
      const before = readCooldown(value);
      const after = change(before, moment);
      // The very value that was given: then nothing is written.
      return { state: after === before ? value : after, result: { before, after, now: moment.now } };
    });
    const noted = changing.then(({ now, ...done }) => {
      this.changes += 1;
      this.clockAheadMs = now - Date.now();
      this.copy = { ...this.copy, states: new Map(this.copy.states).set(provider, done.after) };
      return done;
    });
    return this.patiently(noted);
  }

  /** The result, or undefined if it failed or took too long. The first of several failures is logged. */
  private async patiently<T>(work: Promise<T>): Promise<T | undefined> {
    const stop = new AbortController();
    const late = sleep(this.patienceMs, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`no answer within ${this.patienceMs} ms`);
    });
    try {
      const result = await Promise.race([work, late]);
      this.isAway = false;
      return result;
    } catch (error) {
      if (!this.isAway)
        this.log.warn({ err: error }, 'cooldowns are not known or kept for now: every provider is asked');
      this.isAway = true;
      return undefined;
    } finally {
      stop.abort();
      for (const loser of [work, late]) loser.catch(() => undefined);
    }
  }
}

const refusal = (provider: string, waitMs: number | undefined): Unavailable | undefined =>
  waitMs === undefined ? undefined : { provider, reason: 'CoolingDown', retryAfterMs: Math.ceil(waitMs) };
