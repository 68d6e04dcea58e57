import { RE2JS } from 're2js';
import type { DecisionInputs } from '../contracts/request.js';
import type { Condition, Scalar } from '../contracts/routing.js';

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

/** @throws if the pattern is no RE2 expression; the loader refuses such a profile */
export function compilePattern(pattern: string): RE2JS {
  let compiled = patterns.get(pattern);
  if (!compiled) {
    if (patterns.size >= MOST_PATTERNS) patterns.clear();
    patterns.set(pattern, (compiled = RE2JS.compile(pattern)));
  }
  return compiled;
}

/** What a request has under a key that conditions compare; several values where it has several roles. */
function valuesOf(key: string, inputs: DecisionInputs): readonly unknown[] {
  switch (key) {
    case 'mode':
    case 'agent':
    case 'source':
      return inputs[key] === undefined ? [] : [inputs[key]];
    case 'dao_id':
      return [inputs.access.dao.id];
    default:
      return Object.hasOwn(inputs.metadata, key) ? [inputs.metadata[key]] : [];
  }
}

function leaf(condition: Condition, inputs: DecisionInputs, roles: readonly string[]): Omit<Verdict, 'condition'> {
  switch (condition.kind) {
    case 'equals': {
      const saw = condition.key === 'role' ? roles : valuesOf(condition.key, inputs);
      return { holds: saw.some((value) => condition.values.includes(value as Scalar)), saw };
    }
    case 'metadata_has': {
      const saw = condition.keys.filter((key) => Object.hasOwn(inputs.metadata, key));
      return { holds: saw.length === condition.keys.length, saw };
    }
    case 'prompt_matches':
      return {
        holds: compilePattern(condition.pattern)
          .matcher(inputs.promptHead ?? '')
          .find(),
      };
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
export function judge(condition: Condition, inputs: DecisionInputs, roles: readonly string[]): Verdict {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const of = condition.of.map((part) => judge(part, inputs, roles));
      const holds = condition.kind === 'all' ? of.every((part) => part.holds) : of.some((part) => part.holds);
      return { holds, condition, of };
    }
    case 'not': {
      const part = judge(condition.of, inputs, roles);
      return { holds: !part.holds, condition, of: [part] };
    }
    default:
      return { condition, ...leaf(condition, inputs, roles) };
  }
}

/** Whether a condition holds; stops as soon as that is clear. */
export function holds(condition: Condition, inputs: DecisionInputs, roles: readonly string[]): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((part) => holds(part, inputs, roles));
    case 'any':
      return condition.of.some((part) => holds(part, inputs, roles));
    case 'not':
      return !holds(condition.of, inputs, roles);
    default:
      return leaf(condition, inputs, roles).holds;
  }
}
