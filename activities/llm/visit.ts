import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { AdmissionRefused, type Admission, type Slot } from '../../src/contracts/admission.js';
import { Stopped, type Failure, type FailureType } from '../../src/contracts/failures.js';
import type { ProviderStates } from '../../src/contracts/providers.js';
import type { GenerateInput, PoolPolicy, Unavailable } from '../../src/contracts/request.js';
import type { LlmProvider } from '../../src/adapters/llm/provider.js';
import type { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import { PlaceWithdrawn } from '../../src/domain/admission.js';
import { skipFailure } from '../../src/domain/chain.js';
import { AppError } from '../../src/errors/app-error.js';
import { toApplicationFailure } from '../failures.js';
import type { ActivityLog } from '../log.js';
import { storeFailure } from '../store-failure.js';
import type { ProviderAccess } from './provider-access.js';
import type { StopSignal } from '../stop-signal.js';

/** What a visit needs. */
export interface VisitDependencies {
  states: ProviderStates;
  providers: ProviderAccess;
  admission: Admission;
  bus: InProcessTokenBus;
  log: ActivityLog;
}

/**
 * What a call says about its provider. `nothing`: it was given up, or never made. `served`: whether the provider worked
 * for it. `ended`: whether it took as long as it takes. `cut`: we ended it, so that the host has yet to notice.
 */
export type Verdict =
  | { about: 'answer' }
  | ({ served: boolean; ended: boolean; cut: boolean } & (
      { about: 'nothing' } | { about: 'failure'; failure: Failure }
    ));

const NO_CALL: Verdict = { about: 'nothing', served: false, ended: false, cut: false };

/** After an aborted call the host gets this long to see it before its slot is somebody else's, in milliseconds. */
const ABORT_GRACE_MS = 150;

/** How often a request follows its provider to another address before its turn is made anew from the start. */
const MOST_MOVES = 3;

/** With these a provider refuses to work, rather than failing at it. */
const REFUSALS: readonly FailureType[] = [
  'RateLimited',
  'QueueFull',
  'ProviderUnavailable',
  'ProviderRejected',
  'AuthenticationFailed',
  'ModelNotFound',
  'ContextLengthExceeded',
];

/** Whether a provider worked for a call that failed so. */
export const workedFor = (failure: Failure, textSeen: boolean): boolean => textSeen || !REFUSALS.includes(failure.type);

/** One request at one provider: from the question whether it may be asked to the slot that is given back. */
export class Visit {
  private slot: Slot | undefined;
  private leaving: Promise<void> | undefined;
  private entered = false;
  /** The pool in which a place was reserved for the request when it was accepted, until that place is taken. */
  private reservedIn: string | undefined;

  constructor(
    private readonly deps: VisitDependencies,
    private readonly input: GenerateInput,
    private readonly stop: StopSignal,
  ) {
    this.reservedIn = input.step.pool?.name;
  }

  /**
   * Returns the provider once it may be called. The readers are told where they stand meanwhile.
   * @throws ApplicationFailure of the type that says why it may not be called, or `StoreUnavailable`; the signal's
   * reason if it comes first
   */
  async enter(): Promise<LlmProvider> {
    try {
      await this.askWhether();
      return await this.takePlace();
    } catch (error) {
      // Temporal makes the call again: the place is kept for that, who may stand there already.
      if (!isRepeated(error)) await this.giveUpReservation();
      throw error;
    }
  }

  /** The provider was asked whether it may be called when the call was begun, before this. */
  enteredEarlier(): void {
    this.entered = true;
  }

  /** Gives the slot back and says how the provider did, once. Neither can fail the request: its answer is in hand. */
  leave(verdict: Verdict = NO_CALL): Promise<void> {
    this.leaving ??= Promise.all([this.report(verdict), this.release(verdict)]).then(() => undefined);
    return this.leaving;
  }

  private async askWhether(): Promise<void> {
    const { step, requestId } = this.input;
    const away = await storeFailure(() => this.deps.states.enter(step.provider, requestId));
    if (away) throw this.skipped(away);
    this.entered = true;
  }

  /**
   * Waits for a place at the address that will be called, whatever it was when the request was decided. Address and
   * pool are looked at in one moment, so that no call runs under the pool of another address.
   */
  private async takePlace(): Promise<LlmProvider> {
    const { providers } = this.deps;
    const { provider } = this.input.step;
    for (let move = 0; move <= MOST_MOVES; move += 1) {
      const pool = providers.pool(provider);
      if (pool?.name !== this.reservedIn) await this.giveUpReservation();
      const slot = pool && (await this.acquire(pool));
      if (providers.pool(provider)?.name === pool?.name) {
        if (slot) this.hold(slot);
        return providers.get(provider);
      }
      if (slot) await this.softly('a slot could not be given back', () => slot.release(false, false));
    }
    throw new Stopped({ type: 'WorkerStopped', message: `the address of ${provider} changes again and again` });
  }

  private async acquire(pool: PoolPolicy): Promise<Slot> {
    const { step, requestId, daoId, actor, weight, priority, deadlineAt } = this.input;
    const { provider } = step;
    const request = { requestId, provider, pool, daoId, actor, weight, priority, deadlineAt };
    try {
      const slot = await storeFailure(() =>
        this.deps.admission.acquire(request, this.stop.signal, ({ position, expectedWaitMs }) => {
          this.tellPlace(position, expectedWaitMs);
        }),
      );
      this.reservedIn = undefined;
      return slot;
    } catch (error) {
      // Whoever was sent away stands there no more.
      if (error instanceof AdmissionRefused || error instanceof PlaceWithdrawn) this.reservedIn = undefined;
      if (error instanceof AdmissionRefused) throw this.skipped({ provider, ...error.refusal });
      throw endOfWait(error);
    }
  }

  private hold(slot: Slot): void {
    this.slot = slot;
    this.watch(slot.lost);
    // It may have been cancelled at the very moment when its turn came.
    this.stop.signal.throwIfAborted();
  }

  /** Nobody will take the place that was reserved for the request: it must not count as taken. */
  private async giveUpReservation(): Promise<void> {
    const pool = this.reservedIn;
    if (pool === undefined) return;
    this.reservedIn = undefined;
    await this.softly('a place that is not needed could not be given up; it falls away by itself', () =>
      this.deps.admission.withdraw(this.input.requestId, [pool]),
    );
  }

  private tellPlace(position: number, expectedWaitMs: number): void {
    const { requestId, step } = this.input;
    this.deps.bus.publish(requestId, {
      type: 'queue',
      data: { provider: step.provider, position, expected_wait_ms: expectedWaitMs },
      position: this.deps.bus.position(requestId),
    });
  }

  private watch(lost: AbortSignal): void {
    const give = (): void => {
      // Not the provider's fault, nor the request's: the call is made again, from the queue on.
      this.stop.stop({ type: 'WorkerStopped', message: `the place at ${this.input.step.provider} was lost` });
    };
    lost.addEventListener('abort', give, { once: true });
    if (lost.aborted) give();
  }

  private skipped(away: Unavailable): Error {
    const { provider, reason, retryAfterMs } = away;
    this.deps.log(this.input).info({ provider, failure: reason, retryAfterMs }, 'provider cannot be asked now');
    return toApplicationFailure(skipFailure(away));
  }

  private async report(verdict: Verdict): Promise<void> {
    const { states } = this.deps;
    const { requestId } = this.input;
    const { provider } = this.input.step;
    if (!this.entered) return;
    await this.softly('the state of a provider could not be written', () => {
      if (verdict.about === 'answer') return states.succeeded(provider, requestId);
      if (verdict.about === 'failure') return states.failed(provider, verdict.failure, requestId);
      return states.abandoned(provider, requestId);
    });
  }

  private async release(verdict: Verdict): Promise<void> {
    const { slot } = this;
    if (!slot) return;
    if (verdict.about !== 'answer' && verdict.cut) await sleep(ABORT_GRACE_MS);
    await this.softly('a slot could not be given back', () =>
      verdict.about === 'answer' ? slot.release(true, true) : slot.release(verdict.served, verdict.ended),
    );
  }

  private async softly(message: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.deps.log(this.input).warn({ provider: this.input.step.provider, err: error }, message);
    }
  }
}

/** What it means for the request that a wait ended without a place or a refusal. */
function endOfWait(error: unknown): unknown {
  if (error instanceof PlaceWithdrawn) return new Stopped({ type: 'Cancelled', message: 'cancelled while it waited' });
  if (error instanceof AppError && error.code === 'SHUTTING_DOWN') {
    return new Stopped({ type: 'WorkerStopped', message: 'the worker stops' });
  }
  return error;
}

/** Whether Temporal makes the call again. */
const isRepeated = (error: unknown): boolean =>
  error instanceof ApplicationFailure
    ? error.nonRetryable !== true
    : error instanceof Stopped && error.failure.type === 'WorkerStopped';
