import type { News, QuietHours, Recipient } from '../../contracts/news.js';
import { topicOf } from './topics.js';

const DAY = 1_440;
const MINUTE_MS = 60_000;

/** Minutes of the day at a moment, where somebody lives. */
export function minuteOfDay(at: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const [hours = '0', minutes = '0'] = parts.format(at).split(':');
  return Number(hours) * 60 + Number(minutes);
}

const isWithin = (minute: number, { from, to }: QuietHours): boolean =>
  from <= to ? minute >= from && minute < to : minute >= from || minute < to;

/** When quiet hours that a moment falls into end; the moment itself where it falls into none. */
export function afterQuiet(now: Date, quiet: QuietHours, timeZone: string): Date {
  const minute = minuteOfDay(now, timeZone);
  if (!isWithin(minute, quiet)) return now;
  const begun = now.getTime() - (now.getTime() % MINUTE_MS);
  const end = new Date(begun + ((quiet.to - minute + DAY) % DAY) * MINUTE_MS);
  // Where a clock is put forward or back meanwhile.
  const off = ((quiet.to - minuteOfDay(end, timeZone) + DAY + DAY / 2) % DAY) - DAY / 2;
  return new Date(end.getTime() + off * MINUTE_MS);
}

/** When somebody is to be told, by what they want; null: they are not. */
export function toldAt({ kind }: Pick<News, 'kind'>, { preferences, now }: Recipient): Date | null {
  const { muted, quiet, timeZone } = preferences;
  if (muted.includes(topicOf(kind))) return null;
  return quiet ? afterQuiet(now, quiet, timeZone) : now;
}

/** Whether there is such a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Where cities are looked for that are named alone. */
const REGIONS = ['Europe', 'America', 'Asia', 'Africa', 'Australia', 'Pacific', 'Atlantic'];

/** A time zone as people write it, `Europe/Kyiv` or `new york`; undefined: there is none. */
export function timeZoneIn(text: string): string | undefined {
  const name = text.trim().replaceAll(/\s+/g, '_');
  if (name === '') return undefined;
  const found = [name, ...REGIONS.map((region) => `${region}/${name}`)].find(isTimeZone);
  if (found === undefined) return undefined;
  const known = new Intl.DateTimeFormat('en', { timeZone: found }).resolvedOptions().timeZone;
  // A newer name, such as Europe/Kyiv, may be known by an older one: it stays as it was written, but for its capitals.
  if (known.toLowerCase() === found.toLowerCase()) return known;
  return found.replaceAll(/(?<![a-z])[a-z]/gi, (letter) => letter.toUpperCase());
}

/** Hours as people write them, `22:00-8` or `22–08:30`; undefined: they are none. */
export function quietHoursIn(text: string): QuietHours | undefined {
  const [, ...parts] = /^(\d{1,2})(?::(\d{2}))?\s*[-–—]\s*(\d{1,2})(?::(\d{2}))?$/.exec(text.trim()) ?? [];
  if (parts.length === 0) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = parts.map((part) => Number(part || '0') || 0);
  const isClock =
    [fromHour, toHour].every((hour) => hour < 24) && [fromMinute, toMinute].every((minute) => minute < 60);
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  return isClock && from !== to ? { from, to } : undefined;
}

/** A minute of the day as clocks show it. */
export const clockTime = (minute: number): string =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
