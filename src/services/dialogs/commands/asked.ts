import type { CommandName } from '../../../contracts/conversation.js';
import type { OpenUpdate, ReplyContent } from '../../../contracts/dialog.js';
import type { Button } from '../../../contracts/messenger.js';
import { phrasesIn, type Phrases } from '../../../domain/dialog/phrases.js';
import { lines, rich, type Piece } from '../../../domain/dialog/rich.js';
import type { Acting, Named } from '../../access.service.js';
import type { Turn } from '../turn.js';

/** A command that somebody uses, as they are at this moment. */
export interface Asked {
  turn: Turn;
  acting: Acting;
  phrases: Phrases;
  /** What stands behind the command. */
  args: string;
}

/** Does what a command says. @returns what is shown; undefined: nothing @throws AppError */
export type Handler = (asked: Asked) => Promise<ReplyContent | undefined>;
export type Handlers = Partial<Record<CommandName, Handler>>;

/** In whose name services are asked. */
export const namedBy = ({ daoId, update }: Pick<Turn, 'daoId' | 'update'>): Named & { userId: string } => ({
  daoId,
  userId: update.actor,
});

/** How somebody is spoken to, on their platform. */
export const phrasesFor = ({ language, update }: Pick<Turn, 'language' | 'update'>): Phrases =>
  phrasesIn(language, update.address.source);

/** A question to somebody, with how it is answered where not everything that they say is heard. */
export function question(words: string, { address, kind }: OpenUpdate, phrases: Phrases): string {
  if (address.source === 'dc') return `${words} ${phrases.answerByAsk}`;
  return kind === 'group' ? `${words} ${phrases.answerInReply}` : words;
}

/** A message of our own. */
export const said = (body: Piece, buttons: readonly (readonly Button[])[] = []): ReplyContent => ({
  body: rich(body),
  buttons,
});

/** Paragraphs of our own. */
export const paragraphs = (parts: readonly (Piece | undefined)[], buttons: Button[][] = []): ReplyContent =>
  said(lines(parts, '\n\n'), buttons);

/** Buttons, so many in a row. */
export const rows = (buttons: readonly Button[], inRow = 2): Button[][] =>
  Array.from({ length: Math.ceil(buttons.length / inRow) }, (_, at) => buttons.slice(at * inRow, (at + 1) * inRow));

/** The number of a proposal, as people write it; undefined: it is none. */
export function numberIn(args: string): number | undefined {
  const [, digits] = /^(?:#|№|n\.?\s*)?\s*([1-9]\d{0,8})[.!)]?$/iu.exec(args.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
