/** Finding JSON in what models write around it. */
import { isObject } from './values.js';

/** Longest answer that is looked at, in UTF-16 units, and most objects that are tried in it. */
const LONGEST = 400_000;
const MOST_TRIED = 8;

/** An answer without the thoughts that some models write before it. */
function withoutThoughts(text: string): string {
  const end = text.lastIndexOf('</think>');
  return end === -1 ? text : text.slice(end + '</think>'.length);
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

/** Parts of a text that may be objects, in their order; the last may lack its end. */
function candidates(text: string): string[] {
  const found: string[] = [];
  let at = text.indexOf('{');
  while (at !== -1 && found.length < MOST_TRIED) {
    const end = endOf(text, at);
    found.push(text.slice(at, end));
    at = end === undefined ? -1 : text.indexOf('{', end);
  }
  return found;
}

/** An object that a text is; undefined: it is none. */
function objectOf(text: string, parse: (text: string) => unknown): Record<string, unknown> | undefined {
  try {
    const value = parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const strictly = (text: string): unknown => JSON.parse(text);

/**
 * The objects in an answer of a model, in their order: fences, thoughts and words around them are passed over. Only where
 * none is sound, those that can be repaired.
 * @param repair parses what is almost JSON; may throw
 */
export function objectsIn(answer: string, repair: (text: string) => unknown): Record<string, unknown>[] {
  const parts = candidates(withoutThoughts(answer.slice(0, LONGEST)));
  const sound = parts.flatMap((part) => objectOf(part, strictly) ?? []);
  return sound.length > 0 ? sound : parts.flatMap((part) => objectOf(part, repair) ?? []);
}
