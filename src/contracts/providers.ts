import type { Failure } from './failures.js';
import type { Unavailable } from './request.js';

/** Whether a provider is asked: `cooling` not before `until`; `probing`: one request finds out whether it is back. */
export type ProviderState = 'ok' | 'cooling' | 'probing';

/** Which providers fail too often to be asked, shared by all processes. `requestId`: whose call it is. */
export interface ProviderStates {
  /** Those of the named providers that are not asked at the moment. Quick: what was known up to a second ago. */
  unavailable(names: readonly string[]): Promise<Unavailable[]>;
  /** Whether nothing speaks against a provider: it neither rests nor waits for a probe. Quick as `unavailable`. */
  isWell(provider: string): Promise<boolean>;
  /** Before a call: why the provider may not be asked now, or undefined. The first one after a cooldown is the probe. */
  enter(provider: string, requestId: string): Promise<Unavailable | undefined>;
  /** After a call that gave an answer: the provider is taken back, whosever call that was. */
  succeeded(provider: string, requestId: string): Promise<void>;
  /** After a call that failed. Failures that say nothing about the provider free a probe, and change nothing else. */
  failed(provider: string, failure: Failure, requestId: string): Promise<void>;
  /** After a call that was given up (cancelled, deadline): if it was the probe, another may be. */
  abandoned(provider: string, requestId: string): Promise<void>;
}

/** A provider as `GET /providers` tells it. Figures are of the last hour. */
export interface ProviderInfo {
  name: string;
  type: string;
  model: string | null;
  state: ProviderState;
  /** When it will be asked again, and what it failed of; only while it is not `ok`. */
  cooldown: { until: string; failures: number; reason: string } | null;
  pool: { name: string; slots: number; running: number; waiting: number; expected_wait_ms: number } | null;
  /** Calls that run at the moment, in all processes. */
  in_flight: number;
  calls: number;
  success_rate: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  price: { prompt: number; completion: number } | null;
}
