import { setTimeout as sleep } from 'node:timers/promises';
import { AdmissionRefused, type Admission, type Slot } from '../../src/contracts/admission.js';
import type { Failure, FailureType } from '../../src/contracts/failures.js';
import type { ProviderStates } from '../../src/contracts/providers.js';
import type { GenerateInput, Unavailable } from '../../src/contracts/request.js';
import type { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import { PlaceWithdrawn } from '../../src/domain/admission.js';
import { skipFailure } from '../../src/domain/chain.js';
import { AppError } from '../../src/errors/app-error.js';
import { toApplicationFailure } from '../failures.js';
import type { ActivityLog } from '../log.js';
import { storeFailure } from '../store-failure.js';
import { Stopped, type StopSignal } from './stop-signal.js';

/** What a visit needs. */
export interface VisitDependencies {
  states: ProviderStates;
  admission: Admission;
  bus: InProcessTokenBus;
  log: ActivityLog;
}

/**
 * What a call says about its provider. `nothing`: it was given up, or never made. `served`: whether the provider worked
 * for it. `cut`: we ended it, so that the host has yet to notice.
 */
export type Verdict =
  | { about: 'answer' }
  | ({ served: boolean; cut: boolean } & ({ about: 'nothing' } | { about: 'failure'; failure: Failure }));

const NO_CALL: Verdict = { about: 'nothing', served: false, cut: false };

/** After an aborted call the host gets this long to see it before its slot is somebody else's, in milliseconds. */
const ABORT_GRACE_MS = 150;

/** With these a provider refuses to work, rather than failing at it. */
const REFUSALS: readonly FailureType[] = [
  'RateLimited',
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

  constructor(
    private readonly deps: VisitDependencies,
    private readonly input: GenerateInput,
    private readonly stop: StopSignal,
  ) {}

  /**
   * Returns once the provider may be called. The readers are told where they stand meanwhile.
   * @throws ApplicationFailure of the type that says why it may not be called, or `StoreUnavailable`; the signal's
   * reason if it comes first
   */
  async enter(): Promise<void> {
    const { states, admission } = this.deps;
    const { step, requestId, daoId, actor, weight, priority, deadlineAt } = this.input;
    const away = await storeFailure(() => states.enter(step.provider));
    if (away) throw this.skipped(away);
    this.entered = true;
    const { provider, pool } = step;
    if (!pool) return;
    const request = { requestId, provider, pool, daoId, actor, weight, priority, deadlineAt };
    try {
      this.slot = await storeFailure(() =>
        admission.acquire(request, this.stop.signal, ({ position, expectedWaitMs }) => {
          this.tellPlace(position, expectedWaitMs);
        }),
      );
    } catch (error) {
      if (error instanceof AdmissionRefused) throw this.skipped({ provider, ...error.refusal });
      throw endOfWait(error);
    }
    this.watch(this.slot.lost);
    // It may have been cancelled at the very moment when its turn came.
    this.stop.signal.throwIfAborted();
  }

  /** Gives the slot back and says how the provider did, once. Neither can fail the request: its answer is in hand. */
  leave(verdict: Verdict = NO_CALL): Promise<void> {
    this.leaving ??= Promise.all([this.report(verdict), this.release(verdict)]).then(() => undefined);
    return this.leaving;
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
    const { provider } = this.input.step;
    if (!this.entered) return;
    await this.softly('the state of a provider could not be written', () => {
      if (verdict.about === 'answer') return states.succeeded(provider);
      if (verdict.about === 'failure') return states.failed(provider, verdict.failure, this.input.requestId);
      return states.abandoned(provider);
    });
  }

  private async release(verdict: Verdict): Promise<void> {
    const { slot } = this;
    if (!slot) return;
    if (verdict.about !== 'answer' && verdict.cut) await sleep(ABORT_GRACE_MS);
    await this.softly('a slot could not be given back', () =>
      slot.release(verdict.about === 'answer' || verdict.served),
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
