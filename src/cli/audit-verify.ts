import type { KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { isSignedBy, keyId, publicKeysIn } from '../adapters/signing-key.js';
import type { SignedHead } from '../contracts/audit.js';
import { ChainExamination, type Problem, type Verdict } from '../domain/audit-verify.js';
import { HeaderSchema, HeadSchema, nameOfChain, RowSchema, type Header } from './audit.js';
import { CliError } from './failure.js';
import { table } from './table.js';
import { sha256 } from '../adapters/digest.js';

export interface VerifyOptions {
  /** Files with heads as they were posted. */
  heads?: string[] | undefined;
  /** Files with public keys, or keys themselves; absent: those that came with the export. */
  publicKey?: string[] | undefined;
}

/** What is told of an export. */
export interface Verification {
  ok: boolean;
  text: string;
}

const TrailerSchema = z.object({ head: HeadSchema });
/** Most problems that are told one by one. */
const MOST_TOLD = 50;

/**
 * `dagi audit verify`: examines an export, without any server.
 * @throws CliError `EXPORT_INVALID` for what is none, `FILE_UNREADABLE`, `HEADS_OF_ANOTHER_DAO`, `KEY_INVALID`
 */
export async function verifyExport(file: string, options: VerifyOptions): Promise<Verification> {
  const lines = linesOf(file);
  const header = readHeader(file, (await lines.next()).value);
  const keys = await trustedKeys(header, options.publicKey);
  const heads: SignedHead[] = [...header.heads, ...(await readHeads(options.heads ?? [], header.chain))];
  const verifies = ({ key_id: id, signature }: SignedHead, text: string): boolean | undefined => {
    const key = keys.get(id);
    return key && isSignedBy(key, text, signature);
  };
  const examination = new ChainExamination({ sha256, chain: header.chain, heads, verifies });
  const problems = await examineLines(lines, examination, heads);
  const verdict = examination.end();
  problems.push(...verdict.problems, ...cutOff(header, verdict));
  // Whoever says which keys count means that no others do.
  if (options.publicKey !== undefined) problems.push(...verdict.unknownKeys.map(strangersHead));
  const own = options.publicKey === undefined ? [...keys.keys()] : undefined;
  const ok = problems.length === 0;
  return { ok, text: told(header, { ...verdict, ok, problems }, own) };
}

/** Lines of a file, the empty ones left out. */
async function* linesOf(file: string): AsyncGenerator<string, undefined> {
  const input = createReadStream(file, 'utf8');
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) if (line.trim() !== '') yield line;
  } catch (error) {
    throw unreadable(file, error);
  }
  return undefined;
}

function readHeader(file: string, line: string | undefined): Header {
  const parsed = HeaderSchema.safeParse(parseLine(line ?? ''));
  if (parsed.success) return parsed.data;
  throw new CliError('EXPORT_INVALID', `${file} does not begin as an export of "npx dagi audit export" does.`);
}

/** Hands rows to the examination, and takes the closing head. @returns what is wrong with lines that are neither */
async function examineLines(
  lines: AsyncGenerator<string>,
  examination: ChainExamination,
  heads: SignedHead[],
): Promise<Problem[]> {
  const problems: Problem[] = [];
  let last = 0;
  for await (const line of lines) {
    const value = parseLine(line);
    const row = RowSchema.safeParse(value);
    const trailer = TrailerSchema.safeParse(value);
    if (row.success) {
      examination.add(row.data);
      last = row.data.seq;
    } else if (trailer.success) {
      heads.push(trailer.data.head);
    } else {
      problems.push({ seq: last + 1, to: last + 1, kind: 'unreadable', says: `a line behind row ${last} is no row` });
    }
  }
  return problems;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Heads of files; a line that is none, since a crash cut it off, is left out.
 * @throws CliError `FILE_UNREADABLE`; `HEADS_OF_ANOTHER_DAO` for a file that has none of this chain
 */
async function readHeads(files: readonly string[], chain: string): Promise<SignedHead[]> {
  const heads: SignedHead[] = [];
  for (const file of files) {
    const before = heads.length;
    for await (const line of linesOf(file)) {
      const head = HeadSchema.safeParse(parseLine(line));
      if (head.success) heads.push(head.data);
    }
    if (heads.length === before) throw new CliError('FILE_UNREADABLE', `${file} holds no signed heads.`);
    if (!heads.slice(before).some((head) => head.chain === chain)) throw headsOfAnother(file, chain);
  }
  return heads;
}

const headsOfAnother = (file: string, chain: string): CliError =>
  new CliError('HEADS_OF_ANOTHER_DAO', `${file} holds no head of ${nameOfChain(chain)}, of which the export is.`);

/** Keys by their ids: those that are given, else those that the export brings along. */
async function trustedKeys(header: Header, given: readonly string[] | undefined): Promise<Map<string, KeyObject>> {
  const texts = given
    ? await Promise.all(given.map(async (one) => (one.includes('-----BEGIN') ? one : readText(one))))
    : header.keys.map(({ public_key: key }) => key);
  try {
    return new Map(texts.flatMap((text) => publicKeysIn(text)).map((key) => [keyId(key), key]));
  } catch (error) {
    const whose = given ? '--public-key' : 'the export';
    throw new CliError('KEY_INVALID', `${whose} gives no public key of Ed25519 in PEM.`, {}, { cause: error });
  }
}

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error);
  });

const unreadable = (file: string, cause: unknown): CliError =>
  new CliError(
    'FILE_UNREADABLE',
    `${file} cannot be read (${cause instanceof Error ? cause.message : String(cause)}).`,
  );

/** An export that says of itself that it goes on further than it does. */
function cutOff({ ends_at: end }: Header, { newest, problems }: Verdict): Problem[] {
  if (end === null || newest >= end || problems.some(({ kind, to }) => kind === 'removed' && to >= end)) return [];
  return [
    { seq: newest + 1, to: end, kind: 'removed', says: `the export says of itself that it goes on to row ${end}` },
  ];
}

const strangersHead = (id: string): Problem => ({
  ...{ seq: 0, to: 0, kind: 'head' },
  says: `heads are signed with the key ${id}, which is not among those given`,
});

const WORDS: Record<Problem['kind'], string> = {
  altered: 'altered',
  'hash-altered': 'hash altered',
  removed: 'removed',
  inserted: 'inserted',
  duplicated: 'duplicated',
  reordered: 'out of order',
  renumbered: 'renumbered',
  foreign: 'of another chain',
  unreadable: 'unreadable',
  rewritten: 'rewritten',
  head: 'head not genuine',
};

/** @param own ids of keys that came with the export itself; undefined: they were given */
function told(header: Header, verdict: Verdict, own: readonly string[] | undefined): string {
  const { rows, problems, ok } = verdict;
  const lines = [`record of ${nameOfChain(header.chain)}: ${rows} rows, exported ${header.exported_at}`];
  lines.push(...aboutKeys(own), ...aboutProof(verdict));
  const count = problems.length === 1 ? 'one thing is' : `${problems.length} things are`;
  lines.push(ok ? 'OK: every row follows from the one before it' : `TAMPERED: ${count} wrong`, '');
  return `${lines.join('\n')}${ok ? '' : tableOf(problems)}`;
}

function aboutKeys(own: readonly string[] | undefined): string[] {
  if (own === undefined || own.length === 0) return [];
  const which = own.length === 1 ? `the key ${own.join()}` : `the keys ${own.join(', ')}`;
  return [`checked with ${which}, which came with the export: give the key that you noted with --public-key`];
}

/** What is proven, and what nobody can tell. */
function aboutProof({ ok, proven, unproven, unknownKeys }: Verdict): string[] {
  const lines: string[] = [];
  if (proven) lines.push(`proven up to row ${proven.seq}, by the head signed at ${proven.at}`);
  else lines.push(`no signed head proves any of it${ok ? ': a chain that was written anew would look the same' : ''}`);
  if (unproven > 0 && proven) {
    const rows = unproven === 1 ? 'the row' : `the ${unproven} rows`;
    lines.push(
      `NOT proven: ${rows} behind it; whether they are all there were, and as they were, no signed head says yet`,
    );
  }
  if (unknownKeys.length > 0)
    lines.push(`heads of keys that are not known here prove nothing: ${unknownKeys.join(', ')}`);
  return lines;
}

function tableOf(problems: readonly Problem[]): string {
  const sorted = [...problems].sort((one, other) => one.seq - other.seq);
  const rows = sorted.slice(0, MOST_TOLD).map(({ seq, to, kind, says }) => [placeOf(seq, to), WORDS[kind], says]);
  const more = problems.length > MOST_TOLD ? `… and ${problems.length - MOST_TOLD} more\n` : '';
  return `\n${table(['row', 'what', 'why'], rows)}${more}`;
}

function placeOf(seq: number, to: number): string {
  if (seq === 0) return '-';
  return seq === to ? String(seq) : `${seq} to ${to}`;
}
