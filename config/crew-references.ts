import type { DataNode } from './crew-data-schema.js';
import { hint, quoted } from './nearest.js';

/** What a reference or a path leads to. */
export interface Found {
  /** Its schema; undefined: what tools give is not known before. */
  node: DataNode | undefined;
  /** Whether there may be several. */
  many: boolean;
}

/** What a reference may lead to where it stands. */
export interface Reach {
  inputs: DataNode;
  /** By names of `as`; those that come later are not among them. */
  gathered: readonly string[];
  /** Outputs that are there by then, by task. */
  outputs: ReadonlyMap<string, DataNode>;
  /** Whether there is an entry at hand: `item`. */
  item: boolean;
  /** Why an output of the crew is not to be had here. */
  missing: (task: string) => string;
  /** All tasks of the crew. */
  tasks: readonly string[];
}

interface Step {
  name: string;
  list: boolean;
}

const stepsOf = (path: string): Step[] =>
  path.split('.').map((part) => ({ name: part.replace('[]', ''), list: part.endsWith('[]') }));

/** One name further into a schema, or why there is nothing. */
function enter(node: DataNode, { name, list }: Step, inside: string): DataNode | string {
  const where = `"${inside}"`;
  if (node.type === 'array') return `${where} is a list: write \`${inside}[]\` to lead into its entries`;
  if (node.type !== 'object') return `${where} has no parts`;
  const { properties = {} } = node;
  const part = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (!part) return `${where} has no ${quoted(name)}${hint(name, Object.keys(properties))}`;
  if (!list) return part;
  return part.items && part.type === 'array' ? part.items : `${quoted(name)} is no list`;
}

function walk(top: DataNode, steps: readonly Step[], called: string): Found | string {
  let node = top;
  let inside = called;
  for (const step of steps) {
    const next = enter(node, step, inside);
    if (typeof next === 'string') return next;
    node = next;
    inside = step.list ? `${step.name}[]` : step.name;
  }
  return { node, many: steps.some(({ list }) => list) };
}

/** What a path into an output leads to, or why it leads nowhere. */
export const followPath = (output: DataNode, path: string): Found | string => walk(output, stepsOf(path), 'the output');

/** Names that a reference could begin with. */
const beginnings = ({ tasks, item }: Reach): string[] => ['inputs', 'gathered', ...(item ? ['item'] : []), ...tasks];

function gathered([first, ...rest]: readonly Step[], { gathered: names }: Reach): Found | string {
  if (!first) return 'expected one of what is gathered: gathered.<as>';
  if (!names.includes(first.name)) {
    return `nothing is gathered as ${quoted(first.name)} before this${hint(first.name, names)}`;
  }
  return { node: undefined, many: first.list || rest.some(({ list }) => list) };
}

/** What a reference leads to from somewhere, or why it leads nowhere. */
export function followReference(reference: string, reach: Reach): Found | string {
  const [first = { name: '', list: false }, ...rest] = stepsOf(reference);
  const { name } = first;
  if (name === 'gathered') return gathered(rest, reach);
  if (name === 'item') {
    return reach.item
      ? { node: undefined, many: rest.some(({ list }) => list) }
      : '`item` is there in the params of `each` alone';
  }
  if (name === 'inputs')
    return rest.length > 0 ? walk(reach.inputs, rest, 'inputs') : 'expected an input: inputs.<name>';
  const output = reach.outputs.get(name);
  if (output && first.list) return `${quoted(name)} is no list`;
  if (output) return walk(output, rest, name);
  if (reach.tasks.includes(name)) return reach.missing(name);
  return `${quoted(name)} is neither inputs, gathered nor a task${hint(name, beginnings(reach))}`;
}

/** Whether what was found may be a list of several. */
export const isList = ({ node, many }: Found): boolean => many || node === undefined || node.type === 'array';

/** Whether values are compared one by one there: neither lists nor objects. */
export const isScalar = ({ node }: Found): boolean => node?.type !== 'object' && node?.type !== 'array';

/** Whether what was found may be one text. */
export const isText = ({ node, many }: Found): boolean =>
  !many && (node === undefined || node.type === 'string' || typeof (node.const ?? node.enum?.[0]) === 'string');
