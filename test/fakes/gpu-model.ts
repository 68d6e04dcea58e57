import { createHash } from 'node:crypto';

/** A model on one graphics card: plain figures, so that a bench can print what it was measured against. */
export interface GpuSettings {
  /** Repeats lengths, hangs and refusals: they depend on it, on the request's marker and on how often that was asked. */
  seed: number;
  /** Tokens a second of one answer alone on the card. */
  tokensPerSecond: number;
  /** Each further answer at once makes all of them slower by this: speed / (1 + slowdown × (n − 1)). */
  slowdown: number;
  /** Tokens of a prompt that are read in a second, alone on the card. */
  promptTokensPerSecond: number;
  /** Instructions and history in front of each prompt, in tokens. */
  promptOverheadTokens: number;
  /** Median length of an answer that nobody cuts, in tokens, and the spread of its logarithm. */
  medianTokens: number;
  spread: number;
  /** Longest answer: the context is full then. */
  longestTokens: number;
  /** Share of calls that hang: not a byte comes until the client leaves. */
  hangShare: number;
  /** Share of calls that are refused with 503. */
  refuseShare: number;
}

export const GPU_DEFAULTS: GpuSettings = {
  seed: 1,
  tokensPerSecond: 140,
  slowdown: 0.25,
  promptTokensPerSecond: 4_000,
  promptOverheadTokens: 300,
  medianTokens: 68,
  spread: 1,
  longestTokens: 2_048,
  hangShare: 0.003,
  refuseShare: 0,
};

/** What a call will get, known before it begins. */
export interface Fate {
  kind: 'answer' | 'hang' | 'refuse';
  /** Length of the answer if nobody cuts it. */
  tokens: number;
}

/** One answer in the making. */
export class Generation {
  /** Tokens that have been made so far. */
  made = 0;
  /** Seconds of the card, alone, that reading the prompt still takes. */
  reading: number;
  readonly tokens: number;
  private part = 0;

  constructor(promptSeconds: number, tokens: number) {
    this.reading = promptSeconds;
    this.tokens = tokens;
  }

  get over(): boolean {
    return this.made >= this.tokens;
  }

  /** Uses up seconds of the card, at its speed alone. */
  work(seconds: number, tokensPerSecond: number): void {
    const read = Math.min(this.reading, seconds);
    this.reading -= read;
    this.part += (seconds - read) * tokensPerSecond;
    const whole = Math.floor(this.part);
    this.part -= whole;
    this.made = Math.min(this.tokens, this.made + whole);
  }
}

/** The card: all generations share it. It has no clock of its own; whoever drives it says how much time has gone by. */
export class Gpu {
  settings: GpuSettings;
  private readonly running = new Set<Generation>();

  constructor(settings: Partial<GpuSettings> = {}) {
    this.settings = { ...GPU_DEFAULTS, ...settings };
  }

  get load(): number {
    return this.running.size;
  }

  /** @param promptTokens of the prompt alone, without the overhead */
  start(promptTokens: number, tokens: number): Generation {
    const { promptOverheadTokens, promptTokensPerSecond } = this.settings;
    const generation = new Generation((promptOverheadTokens + promptTokens) / promptTokensPerSecond, tokens);
    this.running.add(generation);
    return generation;
  }

  /** The answer is complete, or nobody wants it any more. */
  stop(generation: Generation): void {
    this.running.delete(generation);
  }

  /** Lets seconds go by. Answers that are complete slow nobody down, but stay until they are stopped. */
  advance(seconds: number): void {
    const busy = [...this.running].filter(({ over }) => !over);
    const share = seconds / (1 + this.settings.slowdown * Math.max(0, busy.length - 1));
    for (const generation of busy) generation.work(share, this.settings.tokensPerSecond);
  }
}

/** What happens to a call: the same seed, marker and number of times asked give the same. */
export function fateOf(settings: GpuSettings, marker: string, asked: number): Fate {
  const [luck] = numbersFrom(`${settings.seed}|${marker}|${asked}`);
  const kind = luck < settings.hangShare ? 'hang' : luck > 1 - settings.refuseShare ? 'refuse' : 'answer';
  // The length belongs to the question, whichever time it is asked.
  const [first, second] = numbersFrom(`${settings.seed}|${marker}`);
  const normal = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
  const tokens = Math.round(settings.medianTokens * Math.exp(settings.spread * normal));
  return { kind, tokens: Math.min(settings.longestTokens, Math.max(4, tokens)) };
}

/** Two numbers from 0 to 1 that a text decides. */
function numbersFrom(text: string): [number, number] {
  const hash = createHash('sha256').update(text).digest();
  return [hash.readUInt32BE(0) / 2 ** 32, hash.readUInt32BE(4) / 2 ** 32];
}
