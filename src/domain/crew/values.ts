import { cutText } from '../../contracts/text.js';

/** Longer values are cut where they are shown, in UTF-16 units. */
const LONGEST_SHOWN = 60;

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A JSON value as text that is the same for equal values, whatever the order of their names. */
export const canonical = (value: unknown): string => JSON.stringify(value, (_key, part) => sorted(part)) ?? 'null';

/** A value as it is shown in a sentence: short; a text in quotes unless it is wanted bare. */
export function shownValue(value: unknown, how: 'quoted' | 'bare' = 'quoted'): string {
  const text = typeof value === 'string' && how === 'bare' ? value : (JSON.stringify(value) ?? 'nothing');
  return cutText(text.replaceAll(/[\r\n\u0085\u2028\u2029]+/g, ' '), LONGEST_SHOWN);
}

/** Whether a value of others is a name, too short to say anything, so that words of our own may hold it. */
export const isShortName = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w.-]{1,16}$/.test(value);

/** Whether a value is an object in JSON's sense. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an object has under a name of its own; undefined: nothing. */
export const ownValue = <Value>(object: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

/** The values of a map, in its order. */
export const valuesOfMap = <Value>(map: ReadonlyMap<string, Value>): Value[] => [...map.values()];
