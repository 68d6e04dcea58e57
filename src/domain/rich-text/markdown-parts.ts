/** A part of a Markdown text that can be parsed by itself, and how many newlines stand between it and the one before. */
export interface MarkdownPart {
  text: string;
  gap: 1 | 2;
}

/**
 * What a part may weigh before it ends: where a paragraph begins, where an item of a list does, anywhere. The parser's time
 * grows with the square of what a part holds, for some texts (lists, quotations, asterisks); a full part takes some 20 ms
 * at worst, and most answers are one or two parts.
 */
const ROOM = { paragraph: 200, item: 300, any: 400 };
const LINE = { each: 1, marker: 1, delimiter: 0.4, unit: 0.02 };
/** Longer parts than this have brackets only where these are near each other, both in UTF-16 units. */
const LONG_PART = 2_000;
const LONGEST_BRACKETS = 1_000;
/** Most containers (quotations, lists) that one line may open, and most delimiters of a part. */
const MOST_NESTED = 20;
const MOST_DELIMITERS = ROOM.any / LINE.delimiter;

const MARKERS = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t\n]|$)))+/gm;
const DELIMITERS = /[*_~[\]]/g;
/** What may stand behind an address and be none of it: at each of these the parser goes through all that follow. */
const BEHIND_ADDRESS = /(?:[!"')*,.:;<?_~\]]|&[a-z]{1,31};)+/gi;
const LONGEST_BEHIND = 60;
const ITEM = /^(?:[-+*]|\d{1,9}[.)])(?:\s|$)/;
/** A fence that stands in no list and no quotation, and any other. */
const BARE_FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const FENCE = /^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})/;

/** What stands for a character that is to mean nothing to the parser: clean texts have none of these. */
const STANDS_FOR = '*_~[]>-+.)!"\',:;<?&';
const FIRST_STAND_IN = 0xfdd0;
const standIn = (character: string): string =>
  String.fromCharCode(FIRST_STAND_IN + Math.max(0, STANDS_FOR.indexOf(character)));

/** A text that the parser gave, with the characters that were hidden from it. */
export const withoutStandIns = (text: string): string =>
  text.replaceAll(/[\ufdd0-\ufde2]/g, (one) => STANDS_FOR.charAt(one.charCodeAt(0) - FIRST_STAND_IN));

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

function weigh(line: string): number {
  const markers = count(MARKERS.exec(line)?.[0] ?? '', /[^\s\d]/g);
  MARKERS.lastIndex = 0;
  return LINE.each + markers * LINE.marker + count(line, DELIMITERS) * LINE.delimiter + line.length * LINE.unit;
}

/** A text without long runs of what may stand behind an address. Of delimiters among it there are few in any case. */
const withShortRuns = (text: string): string =>
  text.replaceAll(BEHIND_ADDRESS, (run) =>
    run.length <= LONGEST_BEHIND
      ? run
      : run.slice(0, LONGEST_BEHIND) + run.slice(LONGEST_BEHIND).replaceAll(/[!"'),.:;<?&]/g, standIn),
  );

/** Beyond what a part may hold, markup becomes the characters that it is made of. */
function tamed(text: string): string {
  const shallow = withShortRuns(text).replaceAll(MARKERS, (markers) => {
    let nested = 0;
    return markers.replaceAll(/[-+*>.)]/g, (one) => ((nested += 1) > MOST_NESTED ? standIn(one) : one));
  });
  const paired = shallow.length > LONG_PART ? withPairs(shallow) : shallow;
  if (count(paired, DELIMITERS) <= MOST_DELIMITERS) return paired;
  let delimiters = 0;
  return paired.replaceAll(DELIMITERS, (one) => ((delimiters += 1) > MOST_DELIMITERS ? standIn(one) : one));
}

/** A text without the brackets that no link can be made of: for each, the parser goes through all that is before it. */
function withPairs(text: string): string {
  const open: number[] = [];
  const paired = new Set<number>();
  for (const { 0: bracket, index } of text.matchAll(/[[\]]/g)) {
    const from = bracket === '[' ? undefined : open.pop();
    if (bracket === '[') open.push(index);
    else if (from !== undefined && index - from <= LONGEST_BRACKETS) paired.add(from).add(index);
  }
  return text.replaceAll(/[[\]]/g, (bracket, index: number) => (paired.has(index) ? bracket : standIn(bracket)));
}

/** The line behind a block of code that begins here, outside of lists and quotations; undefined where none begins. */
function behindFence(lines: readonly string[], from: number): number | undefined {
  const fence = BARE_FENCE.exec(lines[from] ?? '')?.[1];
  if (!fence) return undefined;
  const closing = new RegExp(`^ {0,3}${fence.charAt(0)}{${fence.length},}[ \\t]*$`);
  let at = from + 1;
  while (at < lines.length && !closing.test(lines[at] ?? '')) at += 1;
  return Math.min(at + 1, lines.length);
}

/** How much a part may weigh that ends before this line. */
function roomBefore(line: string, previous: string | undefined): number {
  const afterBlank = previous?.trim() === '';
  const flat = /^[^\s>]/.test(line);
  if (!flat) return ROOM.any;
  if (ITEM.test(line)) return ROOM.item;
  return afterBlank ? ROOM.paragraph : ROOM.any;
}

class Parts {
  readonly done: MarkdownPart[] = [];
  private lines: string[] = [];
  private weight = 0;
  private gap: 1 | 2 = 2;

  /** Takes lines that belong together; the part before ends where it has no room for them. */
  add(lines: readonly string[], weight: number, room: number, apart: boolean): void {
    if (this.weight + weight > room) this.end(apart);
    this.lines.push(...lines);
    this.weight += weight;
  }

  end(apart: boolean): void {
    const next = apart || this.lines.at(-1)?.trim() === '' ? 2 : 1;
    if (this.lines.length > 0) this.done.push({ text: tamed(this.lines.join('\n')), gap: this.gap });
    [this.lines, this.weight, this.gap] = [[], 0, next];
  }

  /** A block of code as a part of its own, however long: its lines cost the parser little. */
  block(text: string): void {
    this.end(true);
    this.done.push({ text, gap: 2 });
    this.gap = 2;
  }
}

/** The fence that is open behind a line, where this one was before it: of a block of code, also one in a list or a quotation. */
export function fenceAfter(line: string, fence: string | undefined): string | undefined {
  if (fence === undefined) return FENCE.exec(line)?.[1];
  return line.replaceAll(/[\s>]/g, '').startsWith(fence) ? undefined : fence;
}

/**
 * A Markdown text, clean already, in parts of bounded cost: nearly always one that ends where a paragraph does. What says
 * nothing but to burden the parser (thousands of brackets, quotations in quotations) is hidden from it.
 */
export function partsOf(markdown: string): MarkdownPart[] {
  const parts = new Parts();
  const lines = markdown.split('\n');
  let fence: string | undefined;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const behind = fence === undefined ? behindFence(lines, index) : undefined;
    if (behind !== undefined) {
      const code = lines.slice(index, behind);
      const weight = code.reduce((sum, one) => sum + weigh(one), 0);
      if (weight > ROOM.any) parts.block(code.join('\n'));
      else parts.add(code, weight, ROOM.any, true);
      index = behind - 1;
      continue;
    }
    parts.add([line], weigh(line), fence === undefined ? roomBefore(line, lines[index - 1]) : ROOM.any, false);
    fence = fenceAfter(line, fence);
  }
  parts.end(true);
  return parts.done;
}
