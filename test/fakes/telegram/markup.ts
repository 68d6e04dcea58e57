import type { MessageEntity } from 'grammy/types';
import type { Marked } from './entities.js';
import { malformed } from './refusal.js';

const cannotParse = (why: string): Error => malformed(`can't parse entities: ${why}`);
const bytesOf = (text: string): number => Buffer.byteLength(text);

interface Open {
  mark: string;
  type: Style;
  /** In the text as it is shown. */
  at: number;
  /** In the text as it came. */
  from: number;
  argument?: string;
}

type Style =
  'bold' | 'italic' | 'underline' | 'strikethrough' | 'spoiler' | 'code' | 'pre' | 'text_link' | 'blockquote';

const entityOf = ({ type, at, argument }: Open, end: number): MessageEntity => {
  const span = { offset: at, length: end - at };
  if (type === 'text_link') return { type, ...span, url: argument ?? '' };
  if (type === 'pre') return { type, ...span, ...(argument && { language: argument }) };
  return { type, ...span };
};

const MARKS: readonly (readonly [mark: string, type: Style, name: string])[] = [
  ['```', 'pre', 'Pre'],
  ['`', 'code', 'Code'],
  ['||', 'spoiler', 'Spoiler'],
  ['__', 'underline', 'Underline'],
  ['*', 'bold', 'Bold'],
  ['_', 'italic', 'Italic'],
  ['~', 'strikethrough', 'Strikethrough'],
  ['[', 'text_link', 'TextUrl'],
];
const RESERVED = '_*[]()~`>#+-=|{}.!';
const LINK_END = /^\]\(((?:[^)\\]|\\.)*)\)/;

/** What a text in MarkdownV2 says. One that is not escaped, or not closed, is refused in the server's words. */
class MarkdownReader {
  private readonly source: string;
  private readonly open: Open[] = [];
  private readonly entities: MessageEntity[] = [];
  private text = '';
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  read(): Marked {
    while (this.at < this.source.length) this.step();
    const left = this.open.at(-1);
    if (left) {
      const name = MARKS.find(([, type]) => type === left.type)?.[2] ?? left.type;
      throw cannotParse(`Can't find end of ${name} entity at byte offset ${bytesOf(this.source.slice(0, left.from))}`);
    }
    return { text: this.text, entities: this.entities };
  }

  private step(): void {
    const { source, at } = this;
    const sign = source.charAt(at);
    if (sign === '\\' && /^[!-~]$/.test(source.charAt(at + 1))) this.take(source.charAt(at + 1), 2);
    else if (this.inCode()) this.stepInCode(sign);
    else if (this.closes() || this.begins()) return;
    else if (sign === '>' && (at === 0 || source.charAt(at - 1) === '\n')) this.at += 1;
    else if (RESERVED.includes(sign)) {
      throw cannotParse(`Character '${sign}' is reserved and must be escaped with the preceding '\\'`);
    } else this.take(sign, 1);
  }

  private take(text: string, length: number): void {
    this.text += text;
    this.at += length;
  }

  private inCode(): boolean {
    const type = this.open.at(-1)?.type;
    return type === 'code' || type === 'pre';
  }

  private stepInCode(sign: string): void {
    if (!this.closes()) this.take(sign, 1);
  }

  private closes(): boolean {
    const last = this.open.at(-1);
    if (!last) return false;
    const rest = this.source.slice(this.at);
    const link = last.type === 'text_link' ? LINK_END.exec(rest) : null;
    if (link ? false : last.type === 'text_link' || !rest.startsWith(last.mark)) return false;
    this.open.pop();
    this.entities.push(entityOf({ ...last, ...(link && { argument: link[1] ?? '' }) }, this.text.length));
    this.at += link ? link[0].length : last.mark.length;
    return true;
  }

  private begins(): boolean {
    const rest = this.source.slice(this.at);
    const found = MARKS.find(([mark]) => rest.startsWith(mark));
    if (!found) return false;
    const [mark, type] = found;
    const language = type === 'pre' ? (/^```(\w*)\n/.exec(rest)?.[1] ?? '') : '';
    this.open.push({ mark, type, at: this.text.length, from: this.at, argument: language });
    this.at += mark.length + (language ? language.length + 1 : 0);
    return true;
  }
}

const TAGS: Partial<Record<string, Style>> = {
  ...{ b: 'bold', strong: 'bold', i: 'italic', em: 'italic', u: 'underline', ins: 'underline' },
  ...{ s: 'strikethrough', strike: 'strikethrough', del: 'strikethrough', 'tg-spoiler': 'spoiler' },
  ...{ code: 'code', pre: 'pre', a: 'text_link', blockquote: 'blockquote' },
};
const NAMED: Partial<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };
const TOKEN = /<(\/?)([a-z-]*)([^>]*)>|&([a-z]+);|<|[^<&]+|&/gi;

/** What a text in HTML says, the server's tags only. */
class HtmlReader {
  private readonly open: Open[] = [];
  private readonly entities: MessageEntity[] = [];
  private text = '';

  read(source: string): Marked {
    for (const match of source.matchAll(TOKEN)) {
      const [token, slash, tag, attributes, named] = match;
      const from = bytesOf(source.slice(0, match.index));
      if (token === '<') throw cannotParse(`Unclosed start tag at byte offset ${from}`);
      if (tag === undefined) this.text += (named && NAMED[named]) ?? token;
      else if (slash) this.end(tag, from);
      else this.begin(tag, attributes ?? '', from);
    }
    const left = this.open.at(-1);
    if (left) throw cannotParse(`Can't find end tag corresponding to start tag "${left.mark}"`);
    return { text: this.text, entities: this.entities };
  }

  private begin(tag: string, attributes: string, from: number): void {
    const type = TAGS[tag.toLowerCase()];
    if (!type) throw cannotParse(`Unsupported start tag "${tag}" at byte offset ${from}`);
    const argument = /href="([^"]*)"/.exec(attributes)?.[1] ?? '';
    this.open.push({ mark: tag, type, at: this.text.length, from, argument });
  }

  private end(tag: string, from: number): void {
    const last = this.open.pop();
    if (!last) throw cannotParse(`Unexpected end tag at byte offset ${from}`);
    if (last.mark !== tag) {
      throw cannotParse(`Unmatched end tag at byte offset ${from}, expected "</${last.mark}>", found "</${tag}>"`);
    }
    this.entities.push(entityOf(last, this.text.length));
  }
}

/**
 * A text as its parse mode reads it.
 * @throws Refusal
 */
export function readMarkup(source: string, mode: string): Marked {
  if (mode === 'MarkdownV2') return new MarkdownReader(source).read();
  if (mode === 'HTML') return new HtmlReader().read(source);
  throw malformed('unsupported parse_mode');
}
