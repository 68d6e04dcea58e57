import type { Condition } from '../contracts/routing.js';
import type { Verdict } from './conditions.js';

/** Keys that are a request's own; every other one is of its metadata. */
const OWN_KEYS = ['mode', 'agent', 'source', 'dao_id', 'role'];
/** Longer values are cut where they are shown, in UTF-16 units. */
const LONGEST = 60;

const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST).toWellFormed()}…` : text);

/** A value as it is written in a profile: a text that could be taken for something else stands in quotes. */
export function valueWords(value: unknown): string {
  if (typeof value !== 'string') return cut(JSON.stringify(value) ?? 'nothing');
  const plain = /^[\p{L}_/][\p{L}\p{N}_.:/+-]*$/u.test(value) && !['true', 'false', 'null'].includes(value);
  return cut(plain ? value : JSON.stringify(value));
}

const listWords = (values: readonly unknown[]): string => values.map(valueWords).join(', ');
const keyWords = (key: string): string => (OWN_KEYS.includes(key) ? key : `metadata ${key}`);

function lengthWords({ min, max }: { min?: number; max?: number }): string {
  const least = min === undefined ? [] : [`at least ${min}`];
  const most = max === undefined ? [] : [`at most ${max}`];
  return [...least, ...most].join(' and ') || 'any';
}

/** A condition in one line: what it asks of a request. */
export function conditionWords(condition: Condition): string {
  switch (condition.kind) {
    case 'all':
      return condition.of.length === 0 ? 'always' : condition.of.map(partWords).join(' and ');
    case 'any':
      return condition.of.length === 0 ? 'never' : condition.of.map(partWords).join(' or ');
    case 'not':
      return `not ${partWords(condition.of)}`;
    case 'equals':
      return `${keyWords(condition.key)} ${condition.values.length === 1 ? '=' : 'in'} ${listWords(condition.values)}`;
    case 'metadata_has':
      return `metadata has ${listWords(condition.keys)}`;
    case 'prompt_matches':
      return `prompt matches /${condition.pattern}/`;
    case 'prompt_length':
      return `prompt length ${lengthWords(condition)}`;
    case 'api_key_available':
      return `${condition.variable} is set`;
  }
}

/** A part of a condition; in brackets if it has parts itself that could be read the wrong way. */
function partWords(part: Condition): string {
  const grouped = (part.kind === 'all' || part.kind === 'any') && part.of.length > 1;
  return grouped ? `(${conditionWords(part)})` : conditionWords(part);
}

/**
 * Why a condition did not come out as it was wanted, a sentence for each thing that would have to be otherwise.
 * The prompt itself is never told.
 */
export function reasons(verdict: Verdict, wanted = true): string[] {
  const { condition, of = [] } = verdict;
  if (verdict.holds === wanted) return [];
  switch (condition.kind) {
    case 'not':
      return of.flatMap((part) => reasons(part, !wanted));
    case 'all':
    case 'any':
      return groupReasons(condition.kind, of, wanted);
    default:
      return [leafReason(verdict, wanted)];
  }
}

/** Where every part has to be otherwise each has its sentence; where one would do they share one. */
function groupReasons(kind: 'all' | 'any', of: readonly Verdict[], wanted: boolean): string[] {
  const each = of.flatMap((part) => reasons(part, wanted));
  if ((kind === 'all') === wanted || each.length === 1) return each;
  const [nothing, several] = wanted
    ? ['a list of alternatives is empty', 'none of these holds']
    : ['a condition that always holds is negated', 'all of these hold, which they must not'];
  return [each.length === 0 ? nothing : `${several}: ${each.map((reason) => `(${reason})`).join(', ')}`];
}

function leafReason(verdict: Verdict, wanted: boolean): string {
  const { condition } = verdict;
  switch (condition.kind) {
    case 'equals':
      return equalsReason(condition, verdict.saw as readonly unknown[], wanted);
    case 'metadata_has': {
      const missing = condition.keys.filter((key) => !(verdict.saw as readonly string[]).includes(key));
      if (!wanted) return `metadata has ${listWords(condition.keys)}, which it must not`;
      return `metadata has no key ${listWords(missing)}`;
    }
    case 'prompt_matches':
      return wanted
        ? `prompt does not match /${condition.pattern}/`
        : `prompt matches /${condition.pattern}/, which it must not`;
    case 'prompt_length': {
      const words = `prompt has ${String(verdict.saw)} ${verdict.saw === 1 ? 'character' : 'characters'}`;
      return `${words}, ${wanted ? 'wanted' : 'which must not be'} ${lengthWords(condition)}`;
    }
    case 'api_key_available':
      return wanted
        ? `api_key_available ${condition.variable}: not set`
        : `api_key_available ${condition.variable}: set, which it must not be`;
    default:
      throw new TypeError(`no leaf: ${condition.kind}`);
  }
}

function equalsReason(
  { key, values }: Extract<Condition, { kind: 'equals' }>,
  saw: readonly unknown[],
  wanted: boolean,
): string {
  const list = `one of ${listWords(values)}`;
  if (saw.length > 0)
    return `${keyWords(key)} is ${listWords(saw)}, ${wanted ? 'wanted' : 'which must not be'} ${list}`;
  return OWN_KEYS.includes(key) ? `${key} is not given, wanted ${list}` : `metadata has no key ${key}, wanted ${list}`;
}
