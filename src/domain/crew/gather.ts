import type { GatherDefinition } from '../../contracts/crew.js';
import { resolveReference, valuesOf, type Scope } from './references.js';
import { isObject } from './values.js';

/** A parameter, with the value that its reference leads to; undefined: it leads to nothing. */
function paramOf(given: unknown, scope: Scope): unknown {
  const from = isObject(given) && Object.keys(given).length === 1 ? given.from : undefined;
  return typeof from === 'string' ? resolveReference(from, scope) : given;
}

function paramsOf(params: GatherDefinition['params'], scope: Scope): Record<string, unknown> {
  const read = Object.entries(params).map(([name, given]) => [name, paramOf(given, scope)] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/**
 * The parameters of each use of a tool that gathers something: one use, or one for each entry of a list. A parameter
 * whose reference leads to nothing is left out.
 */
export function gatherCalls({ params, each, most }: GatherDefinition, scope: Scope): Record<string, unknown>[] {
  if (each === undefined) return [paramsOf(params, scope)];
  const items = valuesOf(each, scope).slice(0, most);
  return items.map((item) => paramsOf(params, { ...scope, item }));
}
