import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import type { Definition, List, ListItem, Nodes, Root, Table, TableCell, TableRow } from 'mdast';
import { plainText } from '../../contracts/rich-text.js';
import type { RichText } from '../../contracts/rich-text.js';
import { cutText } from '../../contracts/text.js';
import { cleanText } from './clean-text.js';
import { linkUrl, mailAddress } from './links.js';
import { partsOf, withoutStandIns } from './markdown-parts.js';
import { RichWriter } from './rich-writer.js';
import { monospaced } from './table.js';
import { closeMarkdown } from './unfinished.js';

/** Longer texts are taken as they are, in UTF-16 units: of what takes longest to read that is some two seconds. */
const LONGEST = 50_000;
/** A name of a column that is longer is cut where it is repeated. */
const LONGEST_NAME = 40;
const RULE = '———';

// What they would find behind the parser, by patterns whose time grows with the square of a text, it finds itself.
const mdastExtensions = gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }));
const extensions = [gfm({ singleTilde: false })];

/** Where a part is read: what its links are called by, and whether we are in one. */
interface Reading {
  out: RichWriter;
  source: string;
  definitions: ReadonlyMap<string, Definition>;
  used: ReadonlySet<string>;
  inLink: boolean;
}

type Children = readonly Nodes[];

/**
 * A model's Markdown as text with marks. Headings are bold lines, lists have bullets and numbers, tables are monospaced
 * where a phone has room for them and lists of their rows elsewhere, pictures are links. HTML, footnotes and addresses
 * that we do not link to are shown as the text that they are.
 *
 * `unfinished`: more of the text is coming, or was to come: what is open at its end is taken for closed there.
 */
export function richOf(markdown: string, { unfinished = false } = {}): RichText {
  const clean = cleanText(markdown);
  if (clean.length > LONGEST) return plainText(clean.trim());
  const out = new RichWriter();
  for (const { text, gap } of partsOf(unfinished ? closeMarkdown(clean) : clean)) {
    const root = fromMarkdown(text, { extensions, mdastExtensions });
    out.apart(gap);
    blocks(readingOf(root, text, out), root.children, 2);
  }
  return out.done();
}

const childrenOf = (node: Nodes): Children => ('children' in node ? node.children : []);

/** The node and all that is in it. */
function allIn(root: Nodes): Nodes[] {
  const found: Nodes[] = [root];
  // The list grows while it is walked.
  for (const node of found) found.push(...childrenOf(node));
  return found;
}

function readingOf(root: Root, source: string, out: RichWriter): Reading {
  const nodes = allIn(root);
  const called = nodes.filter((node) => node.type === 'linkReference' || node.type === 'imageReference');
  // The first definition of a name is the one that counts.
  const definitions = nodes.filter((node) => node.type === 'definition').toReversed();
  return {
    out,
    source,
    definitions: new Map(definitions.map((one) => [one.identifier, one])),
    used: new Set(called.map(({ identifier }) => identifier)),
    inLink: false,
  };
}

type Writers = { [T in Nodes['type']]?: (reading: Reading, node: Extract<Nodes, { type: T }>) => void };

const WRITERS: Writers = {
  text: ({ out }, { value }) => out.write(value),
  html: ({ out }, { value }) => out.write(value),
  break: ({ out }) => out.write('\n'),
  thematicBreak: ({ out }) => out.write(RULE),
  inlineCode: (reading, { value }) => marked(reading, 'code', () => reading.out.write(value.replaceAll('\n', ' '))),
  code: ({ out }, { value, lang }) => out.pre(value, languageOf(lang)),
  strong: (reading, { children }) => marked(reading, 'bold', () => words(reading, children)),
  emphasis: (reading, { children }) => marked(reading, 'italic', () => words(reading, children)),
  delete: (reading, { children }) => marked(reading, 'strike', () => words(reading, children)),
  heading: (reading, { children }) => marked(reading, 'bold', () => words(reading, children)),
  blockquote: (reading, { children }) => marked(reading, 'quote', () => blocks(reading, children, 2)),
  list,
  table,
  link: (reading, { url, children }) => link(reading, url, (inside) => words(inside, children)),
  image: (reading, { url, alt }) => link(reading, url, () => reading.out.write(alt ?? '')),
  linkReference: (reading, { identifier, children }) =>
    link(reading, reading.definitions.get(identifier)?.url ?? '', (inside) => words(inside, children)),
  imageReference: (reading, { identifier, alt }) =>
    link(reading, reading.definitions.get(identifier)?.url ?? '', () => reading.out.write(alt ?? '')),
  definition: ({ out, used }, { identifier, label, url }) => {
    // Nobody refers to it: it is something that was said.
    if (!used.has(identifier)) out.write(`[${label ?? identifier}]: ${url}`);
  },
  footnoteReference: ({ out }, { label, identifier }) => out.write(`[^${label ?? identifier}]`),
  footnoteDefinition: (reading, { label, identifier, children }) =>
    reading.out.item(`[^${label ?? identifier}]: `, () => blocks(reading, children, 2)),
};

function write(reading: Reading, node: Nodes): void {
  const writer = WRITERS[node.type] as ((reading: Reading, node: Nodes) => void) | undefined;
  if (writer) writer(reading, node);
  else words(reading, childrenOf(node));
}

function words(reading: Reading, nodes: Children): void {
  for (const node of nodes) write(reading, node);
}

function blocks(reading: Reading, nodes: Children, gap: number): void {
  for (const [index, node] of nodes.entries()) {
    if (index > 0) reading.out.apart(gap);
    write(reading, node);
  }
}

function marked({ out }: Reading, kind: 'bold' | 'italic' | 'strike' | 'code' | 'quote', content: () => void): void {
  const place = out.here();
  content();
  out.mark({ kind }, place);
}

/** The first word of what stands beside a fence, if it can be the name of a language. */
const languageOf = (lang: string | null | undefined): string | undefined =>
  /^[\w+#.-]{1,40}$/.exec(withoutStandIns(lang ?? ''))?.[0];

function list(reading: Reading, node: List): void {
  const numbers = node.ordered ? numbersOf(reading, node) : [];
  for (const [index, item] of node.children.entries()) {
    if (index > 0) reading.out.apart(node.spread ? 2 : 1);
    const bullet = numbers[index] === undefined ? '' : `${numbers[index]}. `;
    reading.out.item(bullet + boxOf(item) || '• ', () => blocks(reading, item.children, item.spread ? 2 : 1));
  }
}

/** The numbers as they were written: they may be years. Where all are 1 they are to be counted. */
function numbersOf({ source }: Reading, { children }: List): string[] {
  const written = children.map(
    ({ position }) => /^\d+/.exec(source.slice(position?.start.offset, (position?.start.offset ?? 0) + 9))?.[0] ?? '1',
  );
  return written.every((number) => number === '1') ? written.map((_, index) => String(index + 1)) : written;
}

const boxOf = ({ checked }: ListItem): string => (typeof checked === 'boolean' ? (checked ? '☑ ' : '☐ ') : '');

/** What leads nowhere that we would lead anybody shows where it would have led; a mailbox is always shown. */
function link(reading: Reading, given: string, content: (inside: Reading) => void): void {
  const { out, inLink } = reading;
  const from = cleanText(withoutStandIns(given)).trim();
  const url = linkUrl(from);
  const mail = mailAddress(url);
  const address = mail ?? from;
  const place = out.here();
  content({ ...reading, inLink: inLink || url !== undefined });
  if (out.since(place) === '') out.write(address);
  if (inLink) return;
  const told = out.since(place) === address;
  if (url && (!mail || told)) out.mark({ kind: 'link', url }, place);
  else if (!told && address !== '') addressBehind(out, address, url);
}

/** Telegram and Discord make no links to mailboxes of other words than the address. */
function addressBehind(out: RichWriter, address: string, url: string | undefined): void {
  out.write(' (');
  const place = out.here();
  out.write(address);
  if (url) out.mark({ kind: 'link', url }, place);
  out.write(')');
}

function table(reading: Reading, { children, align }: Table): void {
  const rows = children.map((row) => row.children.map((cell) => cellOf(reading, cell)));
  const text = monospaced(rows, align ?? []);
  if (text === undefined) tableRows(reading, children, rows[0] ?? []);
  else reading.out.pre(text);
}

/** A cell by itself. */
function cellOf(reading: Reading, { children }: TableCell): RichText {
  const out = new RichWriter();
  words({ ...reading, out }, children);
  const { text, marks } = out.done();
  return { text: text.replaceAll('\n', ' '), marks };
}

/** A table that is too wide: an item for each of its rows, and in it a line for each cell, behind the name of its column. */
function tableRows(reading: Reading, [head, ...rows]: readonly TableRow[], names: readonly RichText[]): void {
  const { out } = reading;
  if (rows.length === 0 || names.some(({ text }) => text.length > LONGEST_NAME)) {
    blocks(reading, head?.children ?? [], 1);
  }
  for (const { children } of rows) {
    out.apart(1);
    out.item('• ', () => {
      for (const [column, cell] of children.entries()) tableCell(reading, cell, names[column]?.text ?? '');
    });
  }
}

function tableCell(reading: Reading, { children }: TableCell, name: string): void {
  if (children.length === 0) return;
  const { out } = reading;
  const place = out.here();
  if (name !== '') out.write(`${cutText(name, LONGEST_NAME)}:`);
  out.mark({ kind: 'bold' }, place);
  if (name !== '') out.write(' ');
  words(reading, children);
  out.apart(1);
}
