import type { Failure, FailureType } from '../contracts/failures.js';
import type { ProviderState } from '../contracts/providers.js';

/** A request's call of a provider, in a process. */
export interface Call {
  by: string;
  requestId: string;
}

/** What is remembered of one provider: how it failed of late, and until when it is left alone. Plain data. */
export interface Cooldown {
  /** Failures of the provider itself since its last answer. */
  failures: number;
  /** Some of the requests that met them: one request alone proves nothing. */
  requests: readonly string[];
  /** Times that it was cooled since its last answer; 0: it is asked as usual. */
  level: number;
  /** When it may be asked again, by one request: Unix time in milliseconds. */
  coolUntil: number;
  /** Whether the provider named that time itself: then an answer to a call from before does not shorten it. */
  asked: boolean;
  /** The call that finds out whether it is back, and until when the others wait for that. */
  probe: (Call & { until: number }) | null;
  lastReason: FailureType | null;
}

export const PRISTINE: Cooldown = {
  failures: 0,
  requests: [],
  level: 0,
  coolUntil: 0,
  asked: false,
  probe: null,
  lastReason: null,
};

/** First time that a provider is left alone, doubled at each relapse, in milliseconds. */
export const FIRST_COOL_MS = 5_000;
/** The same for a provider that is set up wrongly: nothing mends that within seconds. */
export const MISCONFIGURED_COOL_MS = 30_000;
export const MAX_COOL_MS = 60_000;
/** What a provider asks us to wait is believed up to this, in milliseconds. */
export const MAX_ASKED_MS = 600_000;
/** A shorter wait is kept by the request's own second attempt; the provider is not given up for it. */
export const SHORT_WAIT_MS = 2_000;
/** How long a probe may take before another request becomes the probe, in milliseconds. */
export const PROBE_LEASE_MS = 90_000;

const MIN_REQUESTS = 2;
const KEPT_REQUESTS = 3;

/**
 * What a failure says about the provider. `outage`: it does not work. `misconfigured`: it cannot work before somebody
 * mends the configuration. `nothing`: the failure is the request's, the caller's or our own.
 */
type Verdict = 'outage' | 'misconfigured' | 'nothing';

const VERDICTS: Readonly<Record<FailureType, Verdict>> = {
  RateLimited: 'outage',
  ProviderUnavailable: 'outage',
  ProviderTimeout: 'outage',
  StreamInterrupted: 'outage',
  AuthenticationFailed: 'misconfigured',
  ModelNotFound: 'misconfigured',
  // It works, and does not want this request.
  ProviderRejected: 'nothing',
  ContextLengthExceeded: 'nothing',
  // A prompt can bring it about, and nobody may take a provider from others with a prompt.
  EmptyAnswer: 'nothing',
  // It was not asked, or not to the end.
  QueueTimeout: 'nothing',
  QueueFull: 'nothing',
  WaitTooLong: 'nothing',
  ShareFull: 'nothing',
  CoolingDown: 'nothing',
  // No provider is asked.
  ToolRefused: 'nothing',
  ToolTimeout: 'nothing',
  Unsupported: 'nothing',
  DeadlineExceeded: 'nothing',
  Cancelled: 'nothing',
  // Ours.
  StoreUnavailable: 'nothing',
  WorkerStopped: 'nothing',
  Internal: 'nothing',
};

/** Consecutive failures after which a provider is left alone, and for how long the first time. */
const LIMITS = {
  outage: { failures: 3, coolMs: FIRST_COOL_MS },
  misconfigured: { failures: 2, coolMs: MISCONFIGURED_COOL_MS },
} as const;

/** Whether a failure says something about the provider that met it. */
export const isTelling = ({ type }: Pick<Failure, 'type'>): boolean => VERDICTS[type] !== 'nothing';

/** Whether nothing is held against a provider. */
export const isPristine = ({ failures, level }: Cooldown): boolean => failures === 0 && level === 0;

/**
 * How long a provider is not asked, in milliseconds; undefined if it is. While a probe runs nobody knows: then it is
 * the shortest cooldown, and never longer than the probe may take.
 */
export function coolingFor({ level, coolUntil, probe }: Cooldown, now: number): number | undefined {
  if (level === 0) return undefined;
  if (now < coolUntil) return coolUntil - now;
  if (probe && now < probe.until) return Math.min(FIRST_COOL_MS, probe.until - now);
  return undefined;
}

/** State of a provider in a word. From the end of a cooldown until its first answer it is being probed. */
export function stateOf({ level, coolUntil }: Cooldown, now: number): ProviderState {
  if (level === 0) return 'ok';
  return now < coolUntil ? 'cooling' : 'probing';
}

/** Whether the next call to a provider must be noted as its probe. */
export const wantsProbe = (state: Cooldown, now: number): boolean =>
  state.level > 0 && coolingFor(state, now) === undefined;

/** A call is to be made. The first one after a cooldown is the provider's probe; `waitMs`: it may not be made. */
export function entered(state: Cooldown, call: Call, now: number): { state: Cooldown; waitMs: number | undefined } {
  const waitMs = coolingFor(state, now);
  if (!wantsProbe(state, now)) return { state, waitMs };
  const { by, requestId } = call;
  return { state: { ...state, probe: { by, requestId, until: now + PROBE_LEASE_MS } }, waitMs };
}

/** Whether a call is the one that finds out. Others of its process, from before the cooldown, say nothing new. */
export const isProbe = ({ probe }: Cooldown, { by, requestId }: Call): boolean =>
  probe?.by === by && probe.requestId === requestId;

/** The probe of a process that died finds nothing out. */
export const withoutLostProbe = (state: Cooldown, alive: ReadonlySet<string>): Cooldown =>
  state.probe && !alive.has(state.probe.by) ? { ...state, probe: null } : state;

/** A call gave an answer: nothing is held against the provider any more, unless it asked for a time that still runs. */
export const succeeded = (state: Cooldown, now: number): Cooldown =>
  state.asked && now < state.coolUntil ? { ...state, failures: 0, requests: [] } : PRISTINE;

/** A call ended without saying anything about the provider: if it was the probe, another may be. */
export const abandoned = (state: Cooldown, call: Call): Cooldown =>
  isProbe(state, call) ? { ...state, probe: null } : state;

/** A call failed. Once a provider is cooled only its probe, or a wait that the provider asks for, changes that. */
export function failed(state: Cooldown, failure: Failure, call: Call, now: number): Cooldown {
  const verdict = VERDICTS[failure.type];
  if (verdict === 'nothing') return abandoned(state, call);
  const counted = count(state, failure.type, call.requestId);
  const { failures, coolMs } = LIMITS[verdict];
  const several = counted.requests.length >= MIN_REQUESTS;
  const relapse = isProbe(state, call);
  const asked = askedMs(failure);
  // One request alone proves nothing: it may be what the provider is asked, not how often, that is too much for it.
  if (asked !== undefined && (several || relapse)) {
    return cool(counted, now + asked, { asked: true, deeper: relapse || state.level === 0 });
  }
  const enough = several && counted.failures >= failures;
  if (state.level === 0 ? !enough : !relapse) return counted;
  const ms = Math.min(MAX_COOL_MS, coolMs * 2 ** Math.min(state.level, 10));
  return cool(counted, now + ms, { asked: false, deeper: true });
}

function count(state: Cooldown, type: FailureType, requestId: string): Cooldown {
  const others = state.requests.filter((one) => one !== requestId);
  const requests = [...others, requestId].slice(-KEPT_REQUESTS);
  return { ...state, failures: state.failures + 1, requests, lastReason: type };
}

/** A wait that the provider asked for, if it is long enough to leave it alone. */
function askedMs({ type, retryAfterMs = 0 }: Failure): number | undefined {
  const mayAsk = type === 'RateLimited' || type === 'ProviderUnavailable';
  return mayAsk && retryAfterMs > SHORT_WAIT_MS ? Math.min(retryAfterMs, MAX_ASKED_MS) : undefined;
}

/** Several calls may be told to wait at once: they are one relapse, and the longest wait holds. */
const cool = (state: Cooldown, until: number, { asked, deeper }: { asked: boolean; deeper: boolean }): Cooldown => ({
  ...state,
  level: state.level + (deeper ? 1 : 0),
  coolUntil: Math.max(state.coolUntil, until),
  asked: asked || (state.asked && state.coolUntil > until),
  probe: null,
});

/** A remembered value as it was read from where all processes share it; whatever has another form counts as pristine. */
export function readCooldown(value: unknown): Cooldown {
  if (typeof value !== 'object' || value === null) return PRISTINE;
  const { failures, requests, level, coolUntil } = value as Partial<Record<keyof Cooldown, unknown>>;
  const fits = [failures, level, coolUntil].every(Number.isFinite) && Array.isArray(requests);
  return fits ? { ...PRISTINE, ...value } : PRISTINE;
}
