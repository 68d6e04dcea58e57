import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { storable } from '../src/contracts/text.js';
import { Complaints, type Position } from './complaints.js';
import type { Entry, Node } from './nodes.js';

/** Limits of a file, so that none can hold up a process that reloads it: characters, nested levels, values in all. */
const MOST_CHARACTERS = 250_000;
const DEEPEST = 40;
const MOST_VALUES = 50_000;
/** What a parser that has no such limit fails of. */
const TOO_DEEP = 'not valid YAML, or nested too deeply';

/** A node with its number of values and of levels below it, aliases counted as what they stand for. */
interface Measured {
  node: Node;
  values: number;
  levels: number;
}

/** Keys that YAML or JavaScript take for something else than a key. */
const FORBIDDEN_KEYS: Readonly<Record<string, string>> = {
  '<<': 'merge keys are not supported: name a base file with `extends`',
  ['__proto__']: 'not a name that a key may have',
};

/** Turns YAML's own tree into ours. Aliases become what they stand for; what plain data cannot hold is refused. */
class Reader {
  private readonly anchors = new Map<string, Measured>();

  constructor(private readonly position: (offset: number) => Position) {}

  read(node: unknown, at: Position, level = 0): Measured {
    if (level > DEEPEST) Complaints.refuse(at, [], `nested deeper than ${DEEPEST} levels`);
    if (isAlias(node)) return this.resolve(node.source, this.start(node, at));
    const read = this.readValue(node, this.start(node, at), level);
    const all = read.values;
    if (all > MOST_VALUES) Complaints.refuse(at, [], `more than ${MOST_VALUES} values, aliases counted in full`);
    if (read.levels > DEEPEST) Complaints.refuse(at, [], `nested deeper than ${DEEPEST} levels`);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.anchors.set(anchor, read);
    return read;
  }

  private start(node: unknown, otherwise: Position): Position {
    const range = isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
    return range ? this.position(range[0]) : otherwise;
  }

  private resolve(name: string, at: Position): Measured {
    return this.anchors.get(name) ?? Complaints.refuse(at, [], `the alias has no anchor of its name before it`);
  }

  private readValue(node: unknown, at: Position, level: number): Measured {
    if (isMap(node)) return this.readMap(node, at, level);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item, at, level + 1));
      return measured({ kind: 'list', at, items: items.map((item) => item.node) }, items);
    }
    if (isScalar(node)) return this.readScalar(node, at);
    // Nothing where a value should be: `key:`.
    return measured({ kind: 'scalar', at, value: null });
  }

  private readMap(map: YAMLMap, at: Position, level: number): Measured {
    const entries = new Map<string, Entry>();
    const parts: Measured[] = [];
    for (const pair of map.items) {
      const keyAt = this.start(pair.key, at);
      const key = this.readKey(pair.key, keyAt);
      if (entries.has(key)) Complaints.refuse(keyAt, [key], 'the key is there twice in this map');
      const part = this.read(pair.value, keyAt, level + 1);
      parts.push(part);
      entries.set(key, { at: keyAt, node: part.node });
    }
    return measured({ kind: 'map', at, entries }, parts);
  }

  private readKey(key: unknown, at: Position): string {
    if (!isScalar(key) || key.value === null) return Complaints.refuse(at, [], 'a key must be plain text');
    const { value } = this.readScalar(key, at).node as { value: unknown };
    const name = String(value);
    const objection = Object.hasOwn(FORBIDDEN_KEYS, name) ? FORBIDDEN_KEYS[name] : undefined;
    return objection === undefined ? name : Complaints.refuse(at, [name], objection);
  }

  private readScalar({ value }: Scalar, at: Position): Measured {
    if (typeof value === 'string') {
      if (storable(value) !== value) Complaints.refuse(at, [], 'the text has characters that cannot be kept');
      return measured({ kind: 'scalar', at, value });
    }
    if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) {
      return measured({ kind: 'scalar', at, value });
    }
    return Complaints.refuse(at, [], 'expected text, a finite number, or true or false');
  }
}

function measured(node: Node, parts: readonly Measured[] = []): Measured {
  const values = parts.reduce((sum, part) => sum + part.values, 1);
  return { node, values, levels: Math.max(0, ...parts.map(({ levels }) => levels + 1)) };
}

/** A document, or what its parser could not take. */
function parse(text: string, lineCounter: LineCounter, start: Position): Document.Parsed {
  try {
    // Its own search for double keys takes quadratic time; the reader finds them too.
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      merge: false,
      logLevel: 'silent',
    });
  } catch {
    return Complaints.refuse(start, [], TOO_DEEP);
  }
}

/**
 * Reads YAML text into nodes.
 * @param file how complaints call it
 * @throws AppError `CONFIG_INVALID` that names file, line and column
 */
export function readYaml(text: string, file: string): Node {
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const start = { file, line: 1, column: 1 };
  if (text.length > MOST_CHARACTERS) Complaints.refuse(start, [], `longer than ${MOST_CHARACTERS} characters`);
  const document = parse(text, lines, start);
  const complaints = new Complaints();
  // A broken file may have as many errors as characters.
  for (const { pos, message, code } of [...document.errors, ...document.warnings].slice(0, 50)) {
    const reason = /stack (size|overflow)/i.test(message) ? TOO_DEEP : message.split('\n')[0];
    complaints.add(position(pos[0]), [], reason || code);
  }
  complaints.throwIfAny();
  return new Reader(position).read(document.contents, start).node;
}
