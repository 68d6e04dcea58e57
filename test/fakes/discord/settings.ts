/** How a call goes wrong. */
export const CALL_FAULTS = [
  'too-many',
  'error-500',
  'error-503',
  'reset-before',
  'reset-after',
  'delay',
  'refuse',
] as const;

export interface CallFault {
  kind: (typeof CALL_FAULTS)[number];
  /** The operation, by its id; absent: any. */
  operation?: string;
  /** For how many calls; one if absent. */
  times?: number;
  /** Of `too-many`. */
  seconds?: number;
  isGlobal?: boolean;
  /** Of `delay`. */
  ms?: number;
  /** Of `refuse`. */
  status?: number;
  code?: number;
  message?: string;
}

/** So many calls in so long, for each channel or token. */
export interface Bucket {
  calls: number;
  perMs: number;
}

export interface FakeDiscordSettings {
  applicationId: string;
  botToken: string;
  /** Seed of the application's key, 64 hexadecimal digits. */
  keySeed: string;
  /** Where interactions are sent; empty: nowhere. */
  interactionsUrl: string;
  /** How far the fake's clock is ahead, in milliseconds. */
  aheadMs: number;
  tokenLifeMs: number;
  /** How long the first answer may take. */
  answerWithinMs: number;
  /** How long Discord takes to hear an answer that has arrived. */
  hearingMs: number;
  latencyMs: number;
  /** Share of calls that go wrong by themselves, and the seed of that. */
  chance: number;
  seed: number;
  channelBucket: Bucket;
  webhookBucket: Bucket;
  /** Of the bot as a whole. */
  globalBucket: Bucket;
}

export const DEFAULT_SETTINGS: FakeDiscordSettings = {
  applicationId: '1100000000000000001',
  botToken: 'MTEwMDAwMDAwMDAwMDAwMDAwMQ.fake.bot-token_of-the-fake',
  keySeed: '1f'.repeat(32),
  interactionsUrl: '',
  aheadMs: 0,
  tokenLifeMs: 15 * 60_000,
  answerWithinMs: 3_000,
  hearingMs: 0,
  latencyMs: 0,
  chance: 0,
  seed: 1,
  channelBucket: { calls: 5, perMs: 5_000 },
  webhookBucket: { calls: 5, perMs: 2_000 },
  globalBucket: { calls: 50, perMs: 1_000 },
};

export type SettingsChange = Partial<FakeDiscordSettings>;
