import { createHash } from 'node:crypto';
import { ButtonStyle, ComponentType, MessageFlags } from 'discord-api-types/v10';
import type { OutgoingMessage } from '../../contracts/messenger.js';
import type { RichText } from '../../contracts/rich-text.js';
import { cutText } from '../../contracts/text.js';

const MOST_ROWS = 5;
const MOST_IN_ROW = 5;
const LONGEST_LABEL = 80;
const NONCE_LENGTH = 24;

interface ButtonRow {
  type: ComponentType.ActionRow;
  components: { type: ComponentType.Button; style: ButtonStyle; label: string; custom_id: string }[];
}

/** A message as Discord takes it. */
export interface MessageBody {
  content: string;
  components: ButtonRow[];
  allowed_mentions: { parse: [] };
  flags: number;
}

/** What Discord is to show. Nobody is pinged, and no address in it is fetched to be shown. */
export function bodyOf(
  { body, buttons }: Pick<OutgoingMessage, 'body' | 'buttons'>,
  markdown: (rich: RichText) => string,
): MessageBody {
  const content = markdown(body);
  return {
    // There are no empty messages.
    content: content.trim() === '' ? '…' : content,
    components: rowsOf(buttons),
    allowed_mentions: { parse: [] },
    flags: MessageFlags.SuppressEmbeds,
  };
}

/** The same, for one person alone. */
export const privately = (body: MessageBody): MessageBody => ({
  ...body,
  flags: body.flags | MessageFlags.Ephemeral,
});

/** A name of a message that fits into a nonce. */
export const nonceOf = (key: string): string =>
  createHash('sha256').update(key).digest('base64url').slice(0, NONCE_LENGTH);

const rowsOf = (rows: OutgoingMessage['buttons']): ButtonRow[] =>
  rows
    .flatMap((row) =>
      Array.from({ length: Math.ceil(row.length / MOST_IN_ROW) }, (_, n) =>
        row.slice(n * MOST_IN_ROW, (n + 1) * MOST_IN_ROW),
      ),
    )
    .slice(0, MOST_ROWS)
    .map((row) => ({
      type: ComponentType.ActionRow,
      components: row.map(({ label, press }) => ({
        type: ComponentType.Button,
        style: ButtonStyle.Secondary,
        label: cutText(label, LONGEST_LABEL),
        custom_id: press,
      })),
    }));
