import { setImmediate } from 'node:timers/promises';
import { XMLParser } from 'fast-xml-parser';
import type { TestCase } from '../../../contracts/devtools.js';
import { MOST_PARSED, testCase } from './report.js';

/** How much is parsed at once, in characters: others want to be answered meanwhile. */
const PIECE = 128 * 1_024;

/**
 * No entities of the report's own are known: a report is written by foreign code, and a few lines of them unfold to
 * gigabytes. The five that XML itself has are undone by us.
 */
const PARSER = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  trimValues: false,
  isArray: (name) => ['testcase', 'failure', 'error', 'skipped'].includes(name),
});

type Node = Record<string, unknown>;

/**
 * Reads a report as JUnit writes it (pytest and Node do too), piece by piece. Suites are passed over: what they are
 * called stands with each test as well.
 * @param text the report; undefined: no tests; a malformed piece of it is left out
 * @param fileOf a path of the sandbox, relative to the workspace
 */
export async function parseJunit(text: string | undefined, fileOf: (path: string) => string): Promise<TestCase[]> {
  const tests: TestCase[] = [];
  for (const piece of piecesOf(text ?? '')) {
    if (tests.length >= MOST_PARSED) break;
    tests.push(...nodesOf(parsed(piece).testcase).map((node) => caseOf(node, fileOf)));
    await setImmediate();
  }
  return tests.slice(0, MOST_PARSED);
}

/** Parts of a report that each hold whole tests. */
function* piecesOf(text: string): Generator<string> {
  const start = /<testcase[\s/>]/g;
  let from = start.exec(text)?.index;
  while (from !== undefined) {
    start.lastIndex = from + PIECE;
    const to = start.exec(text)?.index;
    yield text.slice(from, to).replace(/<\/?testsuites?\b[^>]*>/g, '');
    from = to;
  }
}

function caseOf(node: Node, fileOf: (path: string) => string): TestCase {
  const problems = [...nodesOf(node.failure), ...nodesOf(node.error)];
  const seconds = Number(attribute(node, 'time') ?? Number.NaN);
  const name = nameOf(node);
  // For a file that could not be loaded Node may give its path as the name, and nothing else.
  const file = attribute(node, 'file') ?? (name.startsWith('/') ? name : undefined);
  return testCase({
    name: name.startsWith('/') ? fileOf(name) : name,
    file: file === undefined ? undefined : fileOf(file),
    status: problems.length > 0 ? 'failed' : node.skipped === undefined ? 'passed' : 'skipped',
    ms: seconds * 1_000,
    message: problems.map(messageOf).join('\n\n'),
  });
}

/** pytest gives module and class as the class, Node the names of suites, and `test` where there is none. */
function nameOf(node: Node): string {
  const group = attribute(node, 'classname') ?? '';
  // Node writes quotation marks escaped twice.
  const name = (attribute(node, 'name') ?? '').replaceAll('&quot;', '"');
  return group === '' || group === 'test' ? name : `${group} ${name}`;
}

/** The text of a failure, which mostly repeats its short message. */
function messageOf(node: Node): string {
  const short = attribute(node, 'message') ?? '';
  const long = undone(typeof node['#text'] === 'string' ? node['#text'] : '').trim();
  return long.includes(short.trim()) ? long : `${short}\n${long}`;
}

/** A piece; of one that breaks off, what stands before its last test. */
function parsed(text: string): Node {
  const last = text.lastIndexOf('<testcase');
  return whole(text) ?? whole(text.slice(0, Math.max(0, last))) ?? {};
}

function whole(text: string): Node | undefined {
  try {
    return nodesOf(PARSER.parse(text))[0];
  } catch {
    return undefined;
  }
}

/** Elements of a name: one or several; one without attributes is but a text. */
function nodesOf(value: unknown): Node[] {
  const list: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.map((each) => (typeof each === 'object' && each !== null ? (each as Node) : { '#text': each }));
}

function attribute(node: Node, name: string): string | undefined {
  const value = node[`@${name}`];
  return typeof value === 'string' ? undone(value) : undefined;
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** A text with the entities of XML itself undone, each once. */
function undone(text: string): string {
  return text.replace(/&(?:(lt|gt|quot|apos|amp)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g, (whole, name, decimal, hex) => {
    if (typeof name === 'string') return NAMED[name] ?? whole;
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
