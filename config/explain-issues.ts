import type { z } from 'zod';
import { type Complaints, type Path, RANKS } from './complaints.js';
import { hint, nearest, quoted } from './nearest.js';
import { locate, type Node } from './nodes.js';
import { keysAt, type JsonSchema } from './schema-keys.js';

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
};

/** What there is, without telling a value that nobody should see. */
function found(node: Node): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'keys with values';
  if (node.raw !== undefined) return `what \`${node.raw}\` stands for`;
  if (node.value === null) return 'nothing';
  return typeof node.value === 'string' ? quoted(node.value) : String(node.value);
}

const UNITS: Readonly<Record<string, [one: string, more: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
};

function amount({ origin }: { origin: string }, value: number | bigint): string {
  const [one, more] = UNITS[origin] ?? [];
  const unit = Number(value) === 1 ? one : more;
  return unit === undefined ? String(value) : `${value} ${unit}`;
}

/** What there is to choose from, and what was most likely meant. */
function choice(values: readonly string[], node: Node): string {
  // Both cases of the levels of the log need no telling.
  const told = values.filter((value) => value === value.toLowerCase() || !values.includes(value.toLowerCase()));
  const close = node.kind === 'scalar' && node.raw === undefined ? hint(String(node.value), values) : '';
  return `expected ${told.length > 1 ? 'one of ' : ''}${told.join(', ')}, found ${found(node)}${close}`;
}

/** The alternative that somebody most likely meant: one that got furthest into what is there. */
function likeliest(issue: z.core.$ZodIssueInvalidUnion): Issue | undefined {
  const branches = issue.errors.map(([first]) => first).filter((first) => first !== undefined);
  const depth = (one: Issue): number =>
    one.code === 'invalid_union' ? Math.max(0, ...one.errors.flat().map(depth)) : one.path.length;
  const inside = branches.find((one) => one.path.length > 0 || depth(one) > 0);
  return inside ?? branches.find(({ code }) => code !== 'invalid_type' && code !== 'invalid_union');
}

/** Tells what zod found, with positions, what was expected, and what was most likely meant. */
export class IssueTeller {
  /** Keys that a mistyped one most likely stands for, and what holds them: that they are missing needs no telling. */
  private readonly meant = new Set<string>();
  private readonly mistypedIn = new Set<string>();

  /** @param schema what editors are told of the same form: it knows which keys there are */
  constructor(
    private readonly root: Node,
    private readonly complaints: Complaints,
    private readonly schema: JsonSchema,
  ) {}

  tell(issues: readonly Issue[]): void {
    for (const issue of issues) if (issue.code === 'unrecognized_keys') this.unknownKeys(issue.path, issue.keys);
    for (const issue of issues) if (issue.code !== 'unrecognized_keys') this.other(issue, issue.path);
  }

  private unknownKeys(path: Path, keys: readonly string[]): void {
    const { own, inside } = keysAt(this.schema, path);
    for (const key of keys) {
      const meant = inside.find((name) => name.endsWith(`.${key}`)) ?? nearest(key, own);
      if (meant !== undefined) this.meant.add(JSON.stringify([...path, meant]));
      this.mistypedIn.add(JSON.stringify(path));
      const remedy = meant === undefined ? `; there is ${own.join(', ')}` : `; did you mean \`${meant}\`?`;
      const { at } = locate(this.root, [...path, key]);
      const shown = quoted(key) === 'this text' ? path : [...path, key];
      this.complaints.add(at, shown, `unknown key${remedy}`, RANKS.key);
    }
  }

  private other(issue: Issue, path: Path): void {
    const inner = issue.code === 'invalid_union' ? likeliest(issue) : undefined;
    if (inner) {
      const innerPath = [...path, ...inner.path];
      if (inner.code === 'unrecognized_keys') this.unknownKeys(innerPath, inner.keys);
      else this.other(inner, innerPath);
      return;
    }
    // What is missing because of a mistyped key needs no telling.
    if (issue.code === 'custom' && this.mistypedIn.has(JSON.stringify(path))) return;
    const { at, node } = locate(this.root, path);
    if (node) this.complaints.add(at, path, this.reason(issue, node) + this.keyHint(path, node));
    else this.missing(path, issue);
  }

  private missing(path: Path, issue: Issue): void {
    if (this.meant.has(JSON.stringify(path))) return;
    const { at } = locate(this.root, path);
    const expected = issue.code === 'invalid_type' ? (KINDS[issue.expected] ?? issue.expected) : undefined;
    const reason =
      issue.code === 'custom' ? issue.message : expected === undefined ? 'missing' : `missing; expected ${expected}`;
    this.complaints.add(at, path, reason, RANKS.missing);
  }

  private reason(issue: Issue, node: Node): string {
    switch (issue.code) {
      case 'invalid_type':
        return `expected ${KINDS[issue.expected] ?? issue.expected}, found ${found(node)}`;
      case 'invalid_value':
        return choice(issue.values.map(String), node);
      case 'too_big':
        return `expected ${issue.inclusive ? 'at most' : 'less than'} ${amount(issue, issue.maximum)}, found ${this.size(node)}`;
      case 'too_small':
        return `expected ${issue.inclusive ? 'at least' : 'more than'} ${amount(issue, issue.minimum)}, found ${this.size(node)}`;
      case 'invalid_key':
        return issue.issues[0]?.message ?? issue.message;
      default:
        return issue.message;
    }
  }

  private size(node: Node): string {
    if (node.kind === 'list') return String(node.items.length);
    return node.kind === 'scalar' && typeof node.value === 'string' && node.raw === undefined
      ? String(node.value.length)
      : found(node);
  }

  /** Where any key may stand (metadata in conditions), one that is near to a known one explains a wrong value. */
  private keyHint(path: Path, node: Node): string {
    const key = path.at(-1);
    if (typeof key !== 'string' || node.kind === 'scalar') return '';
    const { own } = keysAt(this.schema, path.slice(0, -1));
    return own.includes(key) ? '' : hint(key, own);
  }
}
