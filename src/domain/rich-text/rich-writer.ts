import type { Mark, RichText } from '../../contracts/rich-text.js';
import { cleanText } from './clean-text.js';
import { withoutStandIns } from './markdown-parts.js';
import { tidyMarks } from './marks.js';

type Unplaced<Each> = Each extends Mark ? Omit<Each, 'at' | 'length'> : never;
type Kind = Unplaced<Mark>;

/** A place in what is written: so many UTF-16 units and so many marks stand before it. */
interface Place {
  at: number;
  marks: number;
}

/** Deeper lists are not moved further to the right, in levels. */
const MOST_INDENTED = 6;
const INDENT = '   ';

/** Puts a text with marks together, block by block. */
export class RichWriter {
  private text = '';
  private readonly marks: Mark[] = [];
  private gap = 0;
  private level = 0;
  private lineBegins = true;

  /** Newlines before the next block, if one comes and something stands before it; the most that anybody asked for. */
  apart(newlines: number): void {
    this.gap = Math.max(this.gap, newlines);
  }

  /** Where writing stands now. */
  here(): Place {
    return { at: this.text.length, marks: this.marks.length };
  }

  /** What has been written since then, without the blanks around it. */
  since({ at }: Place): string {
    return this.text.slice(at).trim();
  }

  /** Marks what has been written since then, around what is marked in it; the blanks around it are not. */
  mark(kind: Kind, { at, marks }: Place): void {
    this.marks.splice(marks, 0, { ...kind, at, length: this.text.length - at });
  }

  /** Writes words, which may have newlines; every line stands below the text that it belongs to. */
  write(words: string): void {
    const [first = '', ...more] = cleanText(withoutStandIns(words)).split('\n');
    this.line(first);
    for (const line of more) {
      this.text += '\n';
      this.lineBegins = true;
      this.line(line);
    }
  }

  private line(words: string): void {
    if (words === '') return;
    this.begin();
    if (this.lineBegins) this.text += INDENT.repeat(Math.min(this.level, MOST_INDENTED));
    this.lineBegins = false;
    this.text += words;
  }

  private begin(): void {
    if (this.gap > 0 && this.text !== '') {
      this.text += '\n'.repeat(this.gap);
      this.lineBegins = true;
    }
    this.gap = 0;
  }

  /** Writes a block of code as it is, at the very left: what is copied from there is what was meant. */
  pre(code: string, language?: string): void {
    if (!this.lineBegins) this.apart(1);
    this.begin();
    const place = this.here();
    this.text += cleanText(withoutStandIns(code));
    this.lineBegins = false;
    this.mark({ kind: 'pre', ...(language && { language }) }, place);
  }

  /** Writes an item of a list: its bullet, then its content, the further lines of which stand below the first. */
  item(bullet: string, content: () => void): void {
    this.line(bullet);
    const empty = this.text;
    this.level += 1;
    content();
    this.level -= 1;
    if (this.text === empty) this.text = empty.trimEnd();
  }

  /** All that was written. */
  done(): RichText {
    const text = this.text.trimEnd();
    return { text, marks: tidyMarks(text, this.marks) };
  }
}
