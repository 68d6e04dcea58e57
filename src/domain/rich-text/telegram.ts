import type { Mark, RichText } from '../../contracts/rich-text.js';
import { mailAddress } from './links.js';
import { aroundCode, tidyMarks } from './marks.js';
import { splitRich } from './split.js';

/** What one message of Telegram holds: UTF-16 units of text, of a caption, and entities; further ones are left out. */
export const TELEGRAM_LIMITS = { text: 4096, caption: 1024, entities: 100 } as const;

/** What Telegram calls a mark: both numbers in UTF-16 units. */
export type TelegramEntity = { offset: number; length: number } & (
  | { type: 'bold' | 'italic' | 'strikethrough' | 'code' | 'blockquote' }
  | { type: 'pre'; language?: string }
  | { type: 'text_link'; url: string }
);

/** Without which of them a message would lose most: the first of these are kept. */
const KEPT: readonly Mark['kind'][] = ['pre', 'code', 'link', 'quote', 'bold', 'italic', 'strike'];

const TYPES = { bold: 'bold', italic: 'italic', strike: 'strikethrough', code: 'code', quote: 'blockquote' } as const;

function entityOf(mark: Mark): TelegramEntity {
  const stretch = { offset: mark.at, length: mark.length };
  if (mark.kind === 'link') return { type: 'text_link', ...stretch, url: mark.url };
  if (mark.kind === 'pre') return { type: 'pre', ...stretch, ...(mark.language && { language: mark.language }) };
  return { type: TYPES[mark.kind], ...stretch };
}

/**
 * The marks of a text as entities, to be sent beside the text as it is. There is nothing to escape, and so nothing that
 * could be escaped wrongly: Telegram reads no markup in a text that comes without `parse_mode`, neither its MarkdownV2 nor
 * HTML, whatever characters stand in it.
 *
 * Entities are sorted, outer ones first, begin and end with what is no blank, and are nested or apart; nothing is in
 * code, and code is in quotations alone. A link to a mailbox is left to Telegram, which finds addresses itself and would
 * take `mailto:` for the user of a web site.
 */
export function entitiesOf(rich: RichText): TelegramEntity[] {
  const marks = tidyMarks(rich.text, aroundCode(rich), true).filter(
    (mark) => mark.kind !== 'link' || mailAddress(mark.url) === undefined,
  );
  const byWorth = marks.toSorted((a, b) => KEPT.indexOf(a.kind) - KEPT.indexOf(b.kind));
  const kept = new Set(byWorth.slice(0, TELEGRAM_LIMITS.entities));
  return marks.filter((mark) => kept.has(mark)).map(entityOf);
}

/** A text in pieces that are messages of Telegram. */
export const splitForTelegram = (rich: RichText): RichText[] => splitRich(rich, TELEGRAM_LIMITS.text);
