import { RE2JS } from 're2js';
import type { DecisionInputs } from '../contracts/request.js';
import type { Condition, Scalar } from '../contracts/routing.js';

/** Whether the prompt of a request matches a pattern. */
export type PromptMatcher = (pattern: string) => boolean;

/** A request as conditions see it. */
export interface Subject {
  inputs: DecisionInputs;
  roles: readonly string[];
  matches: PromptMatcher;
}

/** A condition with what came of it. `saw` is what a leaf compared with; a prompt is never repeated. */
export interface Verdict {
  holds: boolean;
  condition: Condition;
  saw?: unknown;
  of?: Verdict[];
}

/** Compiled patterns. They come from profiles, so there are few; those of old profiles are forgotten with the rest. */
const patterns = new Map<string, RE2JS>();
const MOST_PATTERNS = 1_000;

function compilePattern(pattern: string): RE2JS {
  let compiled = patterns.get(pattern);
  if (!compiled) {
    if (patterns.size >= MOST_PATTERNS) patterns.clear();
    patterns.set(pattern, (compiled = RE2JS.compile(pattern)));
  }
  return compiled;
}

/**
 * Looks for patterns in a prompt. Each is searched once, however many rules name it.
 * @throws TypeError when it is asked about a prompt that was erased: what it said must not be guessed
 */
export function promptMatcher(head: string | undefined): PromptMatcher {
  const known = new Map<string, boolean>();
  return (pattern) => {
    if (head === undefined) throw new TypeError('the prompt was erased, so no pattern can be looked for in it');
    let found = known.get(pattern);
    if (found === undefined) known.set(pattern, (found = compilePattern(pattern).test(head)));
    return found;
  };
}

/** What a request has under a key that conditions compare: several values for several roles, none if it has no such key. */
function valuesOf(key: string, { inputs, roles }: Subject): readonly unknown[] {
  switch (key) {
    case 'mode':
    case 'agent':
    case 'source':
      return inputs[key] === undefined ? [] : [inputs[key]];
    case 'dao_id':
      return [inputs.access.dao.id];
    case 'role':
      return roles;
    default:
      return Object.hasOwn(inputs.metadata, key) ? [inputs.metadata[key]] : [];
  }
}

function leaf(condition: Condition, subject: Subject): Omit<Verdict, 'condition'> {
  const { inputs } = subject;
  switch (condition.kind) {
    case 'equals': {
      const saw = valuesOf(condition.key, subject);
      return { holds: saw.some((value) => condition.values.includes(value as Scalar)), saw };
    }
    case 'metadata_has': {
      const saw = condition.keys.filter((key) => Object.hasOwn(inputs.metadata, key));
      return { holds: saw.length === condition.keys.length, saw };
    }
    case 'prompt_matches':
      return { holds: subject.matches(condition.pattern) };
    case 'prompt_length': {
      const { min = 0, max = Infinity } = condition;
      return { holds: inputs.promptLength >= min && inputs.promptLength <= max, saw: inputs.promptLength };
    }
    case 'api_key_available':
      return { holds: condition.available, saw: condition.available };
    default:
      throw new TypeError(`no leaf: ${condition.kind}`);
  }
}

/** Evaluates all of a condition, so that a person can see what each part saw. */
export function judge(condition: Condition, subject: Subject): Verdict {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const of = condition.of.map((part) => judge(part, subject));
      const holds = condition.kind === 'all' ? of.every((part) => part.holds) : of.some((part) => part.holds);
      return { holds, condition, of };
    }
    case 'not': {
      const part = judge(condition.of, subject);
      return { holds: !part.holds, condition, of: [part] };
    }
    default:
      return { condition, ...leaf(condition, subject) };
  }
}

type Group = Extract<Condition, { kind: 'all' | 'any' }>;

const searchesPrompt = (condition: Condition): boolean =>
  condition.kind === 'prompt_matches' || partsOf(condition).some(searchesPrompt);

function partsOf(condition: Condition): readonly Condition[] {
  if (condition.kind === 'all' || condition.kind === 'any') return condition.of;
  return condition.kind === 'not' ? [condition.of] : [];
}

/** Parts of groups in the order in which they are tried. */
const orders = new WeakMap<Group, readonly Condition[]>();

/** The parts of a group, those last that search the prompt: it may be long, and the others often settle the matter. */
function cheapFirst(group: Group): readonly Condition[] {
  let parts = orders.get(group);
  if (!parts) {
    parts = [...group.of].sort((a, b) => Number(searchesPrompt(a)) - Number(searchesPrompt(b)));
    orders.set(group, parts);
  }
  return parts;
}

/** Whether a condition holds; stops as soon as that is clear. `judge` says the same, with the reasons. */
export function holds(condition: Condition, subject: Subject): boolean {
  switch (condition.kind) {
    case 'all':
      return cheapFirst(condition).every((part) => holds(part, subject));
    case 'any':
      return cheapFirst(condition).some((part) => holds(part, subject));
    case 'not':
      return !holds(condition.of, subject);
    default:
      return leaf(condition, subject).holds;
  }
}
