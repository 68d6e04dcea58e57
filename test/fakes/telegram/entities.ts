import type { MessageEntity } from 'grammy/types';
import { malformed } from './refusal.js';

/** A text as it is shown, and what its stretches are. */
export interface Marked {
  text: string;
  entities: MessageEntity[];
}

const KINDS = new Set<string>([
  ...['mention', 'hashtag', 'cashtag', 'bot_command', 'url', 'email', 'phone_number'],
  ...['bold', 'italic', 'underline', 'strikethrough', 'spoiler', 'blockquote', 'expandable_blockquote'],
  ...['code', 'pre', 'text_link', 'text_mention', 'custom_emoji', 'date_time'],
]);
/** May stand in each other and in most others. */
const STYLES = new Set<string>(['bold', 'italic', 'underline', 'strikethrough', 'spoiler']);
const QUOTES = new Set<string>(['blockquote', 'expandable_blockquote']);
const CODE = new Set<string>(['code', 'pre']);

const endOf = ({ offset, length }: MessageEntity): number => offset + length;

/** Whether a place lies between the two halves of one character. */
function splitsPair(text: string, at: number): boolean {
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
}

function checkOne(text: string, entity: MessageEntity): void {
  const { type, offset } = entity;
  if (!KINDS.has(type)) throw malformed(`can't parse MessageEntity: unsupported type "${type}"`);
  if (type === 'text_link' && !('url' in entity)) throw malformed(`can't parse MessageEntity: no url`);
  if (offset < 0 || entity.length <= 0) throw malformed('ENTITY_BOUNDS_INVALID');
  if (endOf(entity) > text.length) {
    throw malformed(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${text.length}`,
    );
  }
  if (splitsPair(text, offset)) throw malformed(`entity begins in a middle of a UTF-16 symbol at offset ${offset}`);
  if (splitsPair(text, endOf(entity))) {
    throw malformed(`entity beginning at UTF-16 offset ${offset} ends in a middle of a UTF-16 symbol`);
  }
}

/** By the rules of "formatting options": what may stand in what. */
function mayHold(outer: string, inner: string): boolean {
  if (CODE.has(outer) || CODE.has(inner)) return false;
  if (STYLES.has(outer) || STYLES.has(inner)) return true;
  return QUOTES.has(outer) && !QUOTES.has(inner);
}

function checkPair(first: MessageEntity, second: MessageEntity): void {
  if (endOf(first) <= second.offset || endOf(second) <= first.offset) return;
  const firstHolds = first.offset <= second.offset && endOf(first) >= endOf(second);
  const secondHolds = second.offset <= first.offset && endOf(second) >= endOf(first);
  const what = `${first.type} at ${first.offset} and ${second.type} at ${second.offset}`;
  if (!firstHolds && !secondHolds) throw malformed(`ENTITIES_CROSS: ${what}`);
  const fits = (firstHolds && mayHold(first.type, second.type)) || (secondHolds && mayHold(second.type, first.type));
  if (!fits) throw malformed(`ENTITIES_NESTED: ${what}`);
}

/**
 * Entities that a bot sends must be within the text, between characters, and nested as the documentation allows.
 * @throws Refusal
 */
export function checkEntities(text: string, entities: readonly MessageEntity[]): void {
  for (const entity of entities) checkOne(text, entity);
  entities.forEach((entity, index) => {
    for (const other of entities.slice(index + 1)) checkPair(entity, other);
  });
}

/** As the server keeps a text: without blanks around it, entities moved along. */
export function trimmed({ text, entities }: Marked): Marked {
  const start = text.length - text.trimStart().length;
  const kept = text.trim();
  const moved = entities.map((entity) => {
    const from = Math.max(entity.offset - start, 0);
    const to = Math.min(endOf(entity) - start, kept.length);
    return { ...entity, offset: from, length: to - from };
  });
  return { text: kept, entities: moved.filter(({ length }) => length > 0) };
}

const FOUND: readonly (readonly ['bot_command' | 'mention' | 'url', RegExp])[] = [
  ['bot_command', /(?<![\w/])\/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?!\w)/g],
  ['mention', /(?<![\w/])@\w{3,32}/g],
  ['url', /\bhttps?:\/\/[^\s]+/g],
];

/** What the server finds by itself in what a person writes: commands, mentions, addresses. */
export function entitiesIn(text: string): MessageEntity[] {
  const found = FOUND.flatMap(([type, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ type, offset: match.index, length: match[0].length })),
  );
  return found.sort((one, other) => one.offset - other.offset);
}
