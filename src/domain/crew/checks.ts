import type { CheckDefinition } from '../../contracts/crew.js';
import { cycleOf } from './graph.js';
import { namesOf, valuesAt, valuesOf, valuesUnder, type Scope } from './references.js';
import { canonical, isShortName, shownValue } from './values.js';

/** What checks look at beside the output. */
export interface CheckScope extends Scope {
  /** Roles of the DAO. */
  roles: readonly string[];
}

/** Most problems of one check that are told, and most nodes of a cycle. */
const MOST_TOLD = 10;
const MOST_NODES = 12;

/** Sentences for the first of some values, and how many more there are. */
function told<T>(values: readonly T[], sentence: (shown: string, value: T) => string): string[] {
  const more = values.length - MOST_TOLD;
  const first = values.slice(0, MOST_TOLD).map((value) => sentence(shownValue(value), value));
  return more > 0 ? [...first, `and ${more} more of this kind`] : first;
}

/** Values without those that are like an earlier one. */
export const distinct = (values: readonly unknown[]): unknown[] => [
  ...new Map(values.map((value) => [canonical(value), value])).values(),
];

function without(values: readonly unknown[], known: readonly unknown[]): unknown[] {
  const keys = new Set(known.map(canonical));
  return distinct(values).filter((value) => !keys.has(canonical(value)));
}

/** The list whose items are nodes, and the names from an item to its own name. */
function itemsOf(nodes: string): { list: string[]; name: string[] } {
  const names = namesOf(nodes);
  const end = names.lastIndexOf('[]') + 1;
  return { list: names.slice(0, end), name: names.slice(end) };
}

/** What each node depends on; `edges` leads there from the same items as `nodes`. */
function graphOf(output: unknown, nodes: string, edges: string): Map<string, string[]> {
  const { list, name } = itemsOf(nodes);
  const toEdges = namesOf(edges).slice(list.length);
  const graph = new Map<string, string[]>();
  for (const item of valuesUnder(output, list)) {
    const found = valuesUnder(item, toEdges).flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]));
    for (const id of valuesUnder(item, name).map(canonical)) {
      graph.set(id, [...(graph.get(id) ?? []), ...found.map(canonical)]);
    }
  }
  return graph;
}

/** Nodes of a cycle as they are told: a long one in part. */
function circle(cycle: readonly string[]): string {
  const shown = cycle.length <= MOST_NODES ? cycle : [...cycle.slice(0, MOST_NODES - 1), '…', ...cycle.slice(-1)];
  return shown.map((node) => (node === '…' ? node : shownValue(JSON.parse(node), 'bare'))).join(' -> ');
}

function acyclic(output: unknown, nodes: string, edges: string): string[] {
  const graph = graphOf(output, nodes, edges);
  const strangers = [...new Set([...graph.values()].flat())].filter((id) => !graph.has(id));
  const cycle = cycleOf(graph);
  return [
    ...told(
      strangers.map((id): unknown => JSON.parse(id)),
      (id) => `${edges}: ${id} is not one of ${nodes}`,
    ),
    ...(cycle ? [`${listName(nodes)}: the dependencies go in a circle: ${circle(cycle)}`] : []),
  ];
}

/** The list of the nodes as it is called in a sentence: `subtasks` of `subtasks[].id`. */
const listName = (nodes: string): string => nodes.slice(0, Math.max(0, nodes.lastIndexOf('[]'))) || nodes;

function unique(output: unknown, at: string): string[] {
  const seen = new Set<string>();
  const twice = valuesAt(output, at).filter((value) => {
    const key = canonical(value);
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
  return told(distinct(twice), (value) => `${at}: ${value} is there more than once`);
}

/** What is not there of what others wrote: by its place where it is no short name, as these are words of our own. */
function missing(
  { at, values }: { at: string; values: string },
  wanted: readonly unknown[],
  there: readonly unknown[],
) {
  const all = distinct(wanted);
  return told(without(all, there), (shown, value) => {
    const place = isShortName(value) ? shown : `entry ${all.indexOf(value) + 1}`;
    return `${at}: ${place} of ${values} is missing`;
  });
}

/** Of some roles those that the DAO has. */
export const givableRoles = (among: readonly string[], { roles }: CheckScope): string[] =>
  among.filter((role) => roles.includes(role));

function check(definition: CheckDefinition, output: unknown, scope: CheckScope): string[] {
  switch (definition.check) {
    case 'acyclic':
      return acyclic(output, definition.nodes, definition.edges);
    case 'unique':
      return unique(output, definition.at);
    case 'among': {
      const { at, values } = definition;
      const references = [values].flat();
      const known = references.flatMap((one) => valuesOf(one, scope));
      const strangers = without(valuesAt(output, at), known);
      return told(strangers, (value) => `${at}: ${value} is not one of ${references.join(' or ')}`);
    }
    case 'covers': {
      const { at, values } = definition;
      return missing({ at, values }, valuesOf(values, scope), valuesAt(output, at));
    }
    case 'role': {
      const { at, among } = definition;
      const allowed = givableRoles(among, scope);
      const choice =
        allowed.length > 0 ? `choose of ${allowed.map((role) => shownValue(role)).join(', ')}` : 'none can';
      const strangers = without(valuesAt(output, at), allowed);
      return told(strangers, (value) => `${at}: ${value} is not a role that can be given here; ${choice}`);
    }
  }
}

/**
 * What an output lacks beyond its schema, in sentences for whoever is to repair it: `subtasks: the dependencies go in a
 * circle: a -> b -> a`. Empty: nothing. Takes time in proportion to the output.
 */
export const problemsOf = (checks: readonly CheckDefinition[], output: unknown, scope: CheckScope): string[] =>
  checks.flatMap((one) => check(one, output, scope));
