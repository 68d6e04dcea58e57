import { isObject } from './values.js';

/** Longest answer that is looked at, in UTF-16 units, and most places in it at which an object may begin. */
const LONGEST = 100_000;
const MOST_TRIED = 8;
/** Most of them that are repaired if they are not sound: that is slower than reading. */
const MOST_REPAIRED = 3;

type JsonObject = Record<string, unknown>;

/** An answer without the thoughts that some models write before it. */
function withoutThoughts(text: string): string {
  const end = text.trimStart().startsWith('<think>') ? text.indexOf('</think>') : -1;
  return end === -1 ? text : text.slice(end);
}

/** Where an object ends that begins at a place, heeding brackets within texts; undefined: it does not. */
function endOf(text: string, from: number): number | undefined {
  let depth = 0;
  let isText = false;
  for (let at = from; at < text.length; at += 1) {
    const one = text[at];
    if (isText && one === '\\') at += 1;
    else if (one === '"') isText = !isText;
    else if (!isText && one === '{') depth += 1;
    else if (!isText && one === '}' && --depth === 0) return at + 1;
  }
  return undefined;
}

/** Parts of a text that may be objects, in their order; behind one that has no end, those that begin within it. */
function candidates(text: string): string[] {
  const found: string[] = [];
  let at = text.indexOf('{');
  while (at !== -1 && found.length < MOST_TRIED) {
    const end = endOf(text, at);
    found.push(text.slice(at, end));
    at = text.indexOf('{', end ?? at + 1);
  }
  return found;
}

/** The object that a text is; none if it is something else. */
function objectOf(text: string, parse: (text: string) => unknown): JsonObject[] {
  try {
    const value = parse(text);
    return isObject(value) ? [value] : [];
  } catch {
    return [];
  }
}

const strictly = (text: string): unknown => JSON.parse(text);

/**
 * The objects that may be meant by an answer of a model, likelier ones first: fences, thoughts and words around them are
 * passed over.
 * @param repair parses what is almost JSON; may throw. Undefined: only what is sound counts
 */
export function objectsIn(answer: string, repair: ((text: string) => unknown) | undefined): JsonObject[] {
  const parts = candidates(withoutThoughts(answer.slice(0, LONGEST)));
  const read = parts.map((part) => ({ part, sound: objectOf(part, strictly) }));
  const first = read[0];
  // A first object without a sound end holds all later ones: what lies within it is not what was meant.
  const isBroken = first?.sound.length === 0 && endOf(first.part, 0) === undefined;
  const unsound = read.filter((one) => one.sound.length === 0).slice(0, MOST_REPAIRED);
  const repaired = repair ? unsound.flatMap(({ part }) => objectOf(part, repair)) : [];
  const sound = read.flatMap((one) => one.sound);
  return isBroken ? [...repaired, ...sound] : [...sound, ...repaired];
}
