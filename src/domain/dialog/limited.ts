import type { Phrases } from './phrase-book.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In how long something is, in words: "in 37 seconds". Never sooner than it is. */
export function inTime(seconds: number, { locale }: Pick<Phrases, 'locale'>): string {
  const words = new Intl.RelativeTimeFormat(locale);
  const left = Math.max(1, Math.ceil(seconds));
  if (left < 2 * MINUTE) return words.format(left, 'second');
  if (left < 2 * HOUR) return words.format(Math.ceil(left / MINUTE), 'minute');
  return left < 2 * DAY ? words.format(Math.ceil(left / HOUR), 'hour') : words.format(Math.ceil(left / DAY), 'day');
}

/** What somebody is told whose DAO has used up a limit, by the code of the refusal; undefined: that is no such code. */
export function limitWords(code: string, seconds: number, phrases: Phrases): string | undefined {
  if (code === 'RATE_LIMITED') return phrases.daoBusy(inTime(seconds, phrases));
  return code === 'BUDGET_EXHAUSTED' ? phrases.daoSpent(inTime(seconds, phrases)) : undefined;
}
