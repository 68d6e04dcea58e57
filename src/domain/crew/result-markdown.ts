import type { CrewData } from '../../contracts/crew.js';
import { cutText } from '../../contracts/text.js';
import { isObject } from './values.js';

/** Longest text, in UTF-16 units; most entries of one list; most levels of lists. */
const LONGEST = 20_000;
const LONGEST_VALUE = 4_000;
const MOST_ENTRIES = 100;
const MOST_DEPTH = 4;

/** `quality_score` as people read it: `Quality score`. */
function heading(name: string): string {
  const words = plain(name.replaceAll('_', ' ').trim());
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/**
 * A text of a model or of others without what could load, link or fake something where it is shown: pictures, links,
 * HTML, headings. Emphasis and lists stay.
 */
function plain(text: string): string {
  const escaped = cutText(text, LONGEST_VALUE).replaceAll(/[\\<[\]]/g, '\\$&');
  return escaped.replaceAll(/^(\s*)(#|>|={3,}|-{3,}|`{3,}|~{3,})/gm, '$1\\$2').trim();
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return plain(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

/** An entry of a list without the mark that its author began it with: it gets one of ours. */
const unmarked = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/^\s*(?:[-*+•–—]|\d{1,2}[.)])\s+/u, '') : value;

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** A text under a bullet: its further lines stand below its first. */
const indented = (text: string, depth: number): string => text.replaceAll(/\n+/g, `\n${'  '.repeat(depth + 1)}`);

function bullet(label: string, value: unknown, depth: number): string[] {
  const pad = '  '.repeat(depth);
  if (isScalar(value)) return [`${pad}- ${label}${indented(scalar(value), depth)}`];
  if (depth >= MOST_DEPTH) return [`${pad}- ${label}${plain(cutText(JSON.stringify(value) ?? '', 200))}`];
  if (label === '' && isObject(value)) return objectBullet(value, depth);
  return [`${pad}- ${label.trimEnd()}`, ...bullets(value, depth + 1)];
}

/** An object in a list: the first of its plain values leads, the others stand below. */
function objectBullet(value: Record<string, unknown>, depth: number): string[] {
  const [first, ...rest] = Object.entries(value).toSorted(([, a], [, b]) => Number(isScalar(b)) - Number(isScalar(a)));
  if (!first) return [`${'  '.repeat(depth)}- none`];
  return [...labelled(first, depth), ...rest.flatMap((entry) => labelled(entry, depth + 1))];
}

const labelled = ([name, value]: [string, unknown], depth: number): string[] =>
  bullet(`**${heading(name)}:** `, value, depth);

function bullets(value: unknown, depth: number): string[] {
  const lines = Array.isArray(value)
    ? (value as unknown[]).slice(0, MOST_ENTRIES).flatMap((one) => bullet('', unmarked(one), depth))
    : Object.entries(value as object)
        .slice(0, MOST_ENTRIES)
        .flatMap((entry) => labelled(entry, depth));
  const more = (Array.isArray(value) ? value.length : Object.keys(value as object).length) - MOST_ENTRIES;
  if (more > 0) return [...lines, `${'  '.repeat(depth)}- and ${more} more`];
  return lines.length > 0 ? lines : [`${'  '.repeat(depth)}- none`];
}

/** A result of a crew as Markdown: a heading for each of its names, lists below. At most 20,000 UTF-16 units. */
export function crewMarkdown({ result }: Pick<CrewData, 'result'>): string {
  const parts = Object.entries(result).map(([name, value]) => {
    const body = isScalar(value) ? scalar(value) : bullets(value, 0).join('\n');
    return `## ${heading(name)}\n\n${body}`;
  });
  return cutText(parts.join('\n\n'), LONGEST);
}
