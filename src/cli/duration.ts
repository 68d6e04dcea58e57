import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses how far back for commander: `7d`, `12h` or `30m`, in milliseconds. */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (ms === 0) throw new InvalidArgumentError('Say how far back: 30m, 12h or 7d.');
  return ms;
}

/** A time that a person can grasp: `812 ms`, `2.1 s`. */
export const shortTime = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);

/** Dollars, as exact as they are small; a dash where there is no price. */
export const dollars = (usd: number | null): string =>
  usd === null ? '–' : `$${usd.toFixed(usd > 0 && usd < 0.01 ? 6 : 4)}`;
