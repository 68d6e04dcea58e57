import { RE2JS, RE2JSException } from 're2js';
import { LARGEST_PATTERN, MOST_INSTRUCTIONS, type Condition, type Scalar } from '../src/contracts/routing.js';
import type { Path } from './complaints.js';
import { CONDITION_KEYS, type Conditions } from './conditions-schema.js';
import { hint, nearest } from './nearest.js';
import { loadDefaultRoles } from './seed.js';
import type { ProfileSource } from './source.js';

/** What other languages have and RE2 has not, by its first characters. */
const LOOK_AROUND = /(?<!\\)\(\?<?[=!]/;

/** Most conditions inside conditions. */
const DEEPEST = 10;

/** Words of their own, though near to a key of conditions. */
const NOT_MISTYPED = new Set(['model', 'node', 'code', 'rule', 'note', 'resource', 'moe']);

/** What it takes to evaluate a key: searching a prompt takes longest. */
const COSTS: Readonly<Record<string, number>> = { and: 1, or: 1, not: 1, prompt_matches: 2 };
const costOf = (key: string): number => (Object.hasOwn(COSTS, key) ? (COSTS[key] ?? 0) : 0);

/** Compiles conditions into the tree that routing evaluates. What is wrong is told to the source. */
export class ConditionsCompiler {
  private instructions = 0;
  private roles: readonly string[] | undefined;

  constructor(
    private readonly source: ProfileSource,
    private readonly variables: NodeJS.ProcessEnv,
  ) {}

  /** All keys of an object must hold; an empty one always holds. */
  compile(conditions: Conditions, path: Path, level = 1): Condition {
    if (level > DEEPEST) {
      this.source.complain(path, `conditions are nested deeper than ${DEEPEST} levels`);
      return { kind: 'all', of: [] };
    }
    const of = Object.entries(conditions)
      .filter(([, value]) => value !== undefined)
      // The same conditions give the same hash, in whatever order they are written; what is cheap to see comes first.
      .toSorted(([a], [b]) => costOf(a) - costOf(b) || (a < b ? -1 : 1))
      .map(([key, value]) => this.part(key, value, [...path, key], level));
    return { kind: 'all', of };
  }

  private part(key: string, value: unknown, path: Path, level: number): Condition {
    switch (key) {
      case 'and':
      case 'or': {
        const of = (value as Conditions[]).map((one, index) => this.compile(one, [...path, index], level + 1));
        return { kind: key === 'and' ? 'all' : 'any', of };
      }
      case 'not':
        return { kind: 'not', of: this.compile(value as Conditions, path, level + 1) };
      case 'metadata_has':
        return { kind: 'metadata_has', keys: value as string[] };
      case 'prompt_matches':
        return this.pattern(value as string, path);
      case 'prompt_length':
        return this.length(value as { min?: number; max?: number }, path);
      case 'api_key_available':
        return { kind: 'api_key_available', variable: value as string, available: this.isSet(value as string) };
      default: {
        const values = [value as Scalar | Scalar[]].flat();
        if (key === 'role') this.warnOfRoles(values, path, Array.isArray(value));
        this.warnOfNear(key, path);
        return { kind: 'equals', key, values };
      }
    }
  }

  private isSet(variable: string): boolean {
    return (this.variables[variable] ?? '') !== '';
  }

  private pattern(pattern: string, path: Path): Condition {
    try {
      if (this.instructions <= MOST_INSTRUCTIONS) this.count(RE2JS.compile(pattern).programSize(), path);
      else this.source.complain(path, 'the patterns up to this one are too large together: simplify them');
    } catch (error) {
      this.source.complain(path, `not a regular expression (RE2 syntax)${this.objection(error, pattern, path)}`);
    }
    return { kind: 'prompt_matches', pattern };
  }

  private count(size: number, path: Path): void {
    this.instructions += size;
    if (size <= LARGEST_PATTERN) return;
    const remedy = 'lower the counts in braces (`.*` costs less than `.{0,500}`), or drop alternatives';
    this.source.complain(path, `the pattern is too large: ${size} instructions, at most ${LARGEST_PATTERN}; ${remedy}`);
  }

  /** What is wrong with a pattern and where in it. A pattern from a variable is not repeated. */
  private objection(error: unknown, pattern: string, path: Path): string {
    if (!(error instanceof RE2JSException) || this.source.isSubstituted(path)) return '';
    if (LOOK_AROUND.test(pattern)) return ': RE2 has no look-around ((?=…), (?!…), (?<=…), (?<!…))';
    const { error: reason, input } = error as { error?: unknown; input?: unknown };
    if (typeof reason !== 'string') return '';
    // Where the objection is to the whole pattern there is no place in it to name.
    const at = typeof input === 'string' && input !== '' && input !== pattern ? pattern.indexOf(input) : -1;
    return at === -1 ? `: ${reason}` : `: ${reason} at its character ${at + 1}`;
  }

  private length({ min, max }: { min?: number | undefined; max?: number | undefined }, path: Path): Condition {
    if (min === undefined && max === undefined) this.source.complain(path, 'expected `min`, `max`, or both');
    if (min !== undefined && max !== undefined && min > max) {
      this.source.complain(path, `no prompt is that long: min ${min} is more than max ${max}`);
    }
    return { kind: 'prompt_length', ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  }

  /** DAOs may have roles of their own, so one that no DAO begins with can only be a warning. */
  private warnOfRoles(names: readonly Scalar[], path: Path, isList: boolean): void {
    const known = (this.roles ??= Object.keys(loadDefaultRoles()));
    names.forEach((name, index) => {
      if (known.includes(String(name))) return;
      const at = isList ? [...path, index] : path;
      const remedy = hint(String(name), known) || `; those are ${known.join(', ')}`;
      this.source.warn(at, `no default role is called ${this.source.shown(at, String(name))}${remedy}`);
    });
  }

  /** A key that is no key of ours is one of metadata, so a mistyped one can only be a warning. */
  private warnOfNear(key: string, path: Path): void {
    if ((CONDITION_KEYS as readonly string[]).includes(key) || NOT_MISTYPED.has(key.toLowerCase())) return;
    const words = CONDITION_KEYS.filter((one) => one.length > 3);
    const meant = nearest(key, words, key.length < 8 ? 1 : 2);
    if (meant === undefined) return;
    this.source.warn(path, `this is compared with the request's metadata; did you mean \`${meant}\`?`);
  }
}
