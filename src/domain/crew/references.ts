import type { Reference } from '../../contracts/crew.js';

/** What the references of a task can lead to. */
export interface Scope {
  inputs: Readonly<Record<string, unknown>>;
  /** By the name of `as`. */
  gathered: Readonly<Record<string, unknown>>;
  /** Outputs of tasks, by task. */
  outputs: Readonly<Record<string, unknown>>;
  /** The entry at hand, where something is gathered for each of a list. */
  item?: unknown;
}

/** Most names in a path, and most values that one can lead to. */
const MOST_NAMES = 32;
const MOST_VALUES = 10_000;

/** A value under a name of its own; undefined: there is none. What objects inherit is nobody's data. */
function under(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // Lists have `length` as a name of their own.
  if (Array.isArray(value) && !/^\d{1,9}$/.test(name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** The names of a path, a `[]` being one by itself: `subtasks[].id` is `subtasks`, `[]`, `id`. */
export const namesOf = (path: string): string[] =>
  path.split('.').flatMap((part) => {
    const lists = /(?:\[\])+$/.exec(part)?.[0].length ?? 0;
    const name = lists === 0 ? part : part.slice(0, -lists);
    return [...(name === '' && lists > 0 ? [] : [name]), ...Array<string>(lists / 2).fill('[]')];
  });

function step(values: readonly unknown[], name: string): unknown[] {
  const next: unknown[] = [];
  for (const value of values) {
    const found = name !== '[]' ? [under(value, name)] : Array.isArray(value) ? (value as unknown[]) : [];
    for (const one of found) {
      if (next.length >= MOST_VALUES) return next;
      if (one !== undefined) next.push(one);
    }
  }
  return next;
}

/** All values that names lead to from a value, in their order; at most 10,000. */
export function valuesUnder(value: unknown, names: readonly string[]): unknown[] {
  if (names.length > MOST_NAMES) return [];
  return names.reduce<unknown[]>(step, [value]);
}

/**
 * All values that a path leads to within an output, `[]` standing for each item of a list: `subtasks[].id`.
 * The empty path leads to the output itself. At most 10,000; what is not there is left out.
 */
export const valuesAt = (output: unknown, path: string): unknown[] =>
  valuesUnder(output, path === '' ? [] : namesOf(path));

/** Where the first name of a reference leads, and the names after it. */
function startOf(ref: Reference, { inputs, gathered, outputs, item }: Scope): [unknown, string[]] {
  const [first = '', ...rest] = namesOf(ref);
  if (first === 'inputs') return [inputs, rest];
  if (first === 'gathered') return [gathered, rest];
  return [first === 'item' ? item : under(outputs, first), rest];
}

/**
 * The value that a reference leads to; undefined: there is none. With `[]` in it, it leads to the list of all values
 * there.
 */
export function resolveReference(ref: Reference, scope: Scope): unknown {
  const [start, names] = startOf(ref, scope);
  const values = start === undefined ? [] : valuesUnder(start, names);
  return names.includes('[]') ? values : values[0];
}

/** The values that a reference leads to, one by one: a list at its end is each of its items. */
export function valuesOf(ref: Reference, scope: Scope): unknown[] {
  const found = resolveReference(ref, scope);
  if (found === undefined) return [];
  return Array.isArray(found) ? found.flat(1).slice(0, MOST_VALUES) : [found];
}
