import { fenceAfter } from './markdown-parts.js';

const TOKEN = /\\[\s\S]|`+|\*\*|__|~~/g;
const PAIRED = ['**', '__', '~~'];
/** Between two blocks: what is open in one is never closed in the next. */
const BLOCK_ENDS = /\n[ \t]*\n|\n(?=[ \t]*(?:[-+*]\s|\d{1,9}[.)]\s|#{1,6}\s|>|\|))/;
/** The half of a link, which has no address yet; what opens a mark without a word behind it. */
const HALF_LINK = /!?\[([^[\]\n]*)\]\([^()\s]*$/;
const DANGLING = /(?<=^|\s)(?:\*{1,3}|_{1,3}|~{1,2}|`+)$/;

/** What is open at the end of a block, in the order in which it was opened; code hides what is in it. */
function openIn(block: string): string[] {
  const open: string[] = [];
  let code: string | undefined;
  for (const { 0: token, index } of block.matchAll(TOKEN)) {
    if (code !== undefined) code = token === code ? undefined : code;
    else if (token.startsWith('`')) code = token;
    else if (PAIRED.includes(token)) toggle(open, token, /\S/.test(block.charAt(index + token.length)));
  }
  return code === undefined ? open : [...open, code];
}

function toggle(open: string[], token: string, opens: boolean): void {
  const at = open.lastIndexOf(token);
  if (at >= 0) open.splice(at);
  else if (opens) open.push(token);
}

/**
 * Markdown that breaks off somewhere, with what its last block leaves open closed: a reader sees bold words, not two
 * asterisks that are gone with the next ones. A block of code needs no closing.
 */
export function closeMarkdown(markdown: string): string {
  const fence = markdown.split('\n').reduce<string | undefined>((open, line) => fenceAfter(line, open), undefined);
  if (fence !== undefined) return markdown;
  const last = markdown.split(BLOCK_ENDS).at(-1) ?? '';
  const words = last.trimEnd().replace(HALF_LINK, '$1').replace(DANGLING, '').trimEnd();
  const open = openIn(words).toReversed();
  const [inner = ''] = open;
  // The first half of what closes a mark.
  const half = PAIRED.includes(inner) && words.endsWith(inner.charAt(0)) && !words.endsWith(inner);
  return markdown.slice(0, markdown.length - last.length) + (half ? words.slice(0, -1) : words) + open.join('');
}
