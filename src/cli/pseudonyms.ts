import { createHmac, randomBytes } from 'node:crypto';

/** Ids of people where they stand in a text: as we write them, and as Discord and Telegram call somebody. */
const IDS = /\b(?<id>(?:tg|dc):\d+)\b|<@!?(?<dc>\d+)>|\btg:\/\/user\?id=(?<tg>\d+)/g;
const DIGITS = 12;

/**
 * Names in place of people's ids: the same for the same person, and for these alone. What makes them is kept nowhere, so
 * that nobody finds the id of a name, nor whom another list of names calls so.
 */
export class Pseudonyms {
  private readonly key = randomBytes(32);

  of(id: string): string {
    return `user_${createHmac('sha256', this.key).update(id).digest('hex').slice(0, DIGITS)}`;
  }

  /** The text with other names for the ids in it. Whatever else tells who somebody is stays. */
  inText(text: string): string {
    return text.replaceAll(IDS, (...found) => {
      const { id, dc, tg } = found.at(-1) as Partial<Record<'id' | 'dc' | 'tg', string>>;
      if (id !== undefined) return this.of(id);
      return `@${this.of(dc === undefined ? `tg:${tg}` : `dc:${dc}`)}`;
    });
  }
}
