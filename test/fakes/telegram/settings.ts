/** What a fault does to a call. */
export const CALL_FAULTS = [
  /** 429 with `seconds` to wait. */
  'too-many',
  /** 500 with a page of HTML, as the real one's front sends it. */
  'error-500',
  /** 502 as JSON. */
  'error-502',
  /** The connection is cut, nothing was done. */
  'reset-before',
  /** It is done, and the connection is cut. */
  'reset-after',
  /** Nothing is done, and nothing answered. */
  'hang-before',
  /** It is done, and nothing is answered. */
  'hang-after',
  /** It is done `ms` later. */
  'delay',
  /** Refused with `code` and `description`. */
  'refuse',
] as const;
export type CallFaultKind = (typeof CALL_FAULTS)[number];

/** A fault that was asked for. */
export interface CallFault {
  kind: CallFaultKind;
  /** Spoils only calls of this method. */
  method?: string;
  /** Spoils only calls about this chat. */
  chat?: number;
  /** How many calls it spoils; 1 if absent. */
  times?: number;
  seconds?: number;
  ms?: number;
  code?: number;
  description?: string;
}

/** Limits of flooding; 0: none. What is beyond gets 429 until there is room. */
export interface FloodLimits {
  /** Of calls that write, in each chat: so many a second, and so many at once. */
  chatPerSecond: number;
  chatBurst: number;
  /** Of calls that write, in each group, within any minute. */
  groupPerMinute: number;
  /** Of all calls but `getUpdates`, within any second. */
  perSecond: number;
}

/** What a fake does by itself. All can be changed while it runs. */
export interface FakeTelegramSettings {
  token: string;
  username: string;
  /** In groups the bot gets only commands, mentions, and answers to what it wrote. */
  privacy: boolean;
  /** Length of a second of the server's own waiting (webhook, polls), in milliseconds. */
  secondMs: number;
  /** How long the webhook may take, in milliseconds. */
  webhookTimeoutMs: number;
  /** How long a press can be answered, in milliseconds. */
  pressMs: number;
  /** How long every call takes, in milliseconds. */
  latencyMs: number;
  limits: FloodLimits;
  /** Of what chance does: the same number, the same faults. */
  seed: number;
  /** Shares, from 0 to 1, of calls and updates that go wrong like that. */
  chances: Partial<Record<Exclude<CallFaultKind, 'refuse'> | 'duplicate' | 'reorder' | 'twice', number>>;
  /** Of `delay` by chance, in milliseconds, and of 429 by chance, in seconds. */
  chanceDelayMs: number;
  chanceRetryAfter: number;
}

export const DEFAULT_SETTINGS: FakeTelegramSettings = {
  token: '7000000001:fake-token-of-tests-aaaaaaaaaaaaaaaaa',
  username: 'dagi_bot',
  privacy: false,
  secondMs: 1_000,
  webhookTimeoutMs: 10_000,
  pressMs: 30_000,
  latencyMs: 0,
  limits: { chatPerSecond: 0, chatBurst: 1, groupPerMinute: 0, perSecond: 0 },
  seed: 1,
  chances: {},
  chanceDelayMs: 200,
  chanceRetryAfter: 1,
};

/** A part of the settings; of limits and chances, too. */
export type SettingsChange = Partial<Omit<FakeTelegramSettings, 'limits'>> & { limits?: Partial<FloodLimits> };

export const changed = (settings: FakeTelegramSettings, change: SettingsChange): FakeTelegramSettings => ({
  ...settings,
  ...change,
  limits: { ...settings.limits, ...change.limits },
});
