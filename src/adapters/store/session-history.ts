import { sql } from 'kysely';
import type { Db } from './tenants.js';
import { guardStore } from './errors.js';

/** Most turns of a session that are read; how many of them reach the model is decided by their length. */
const HISTORY_TURNS = 40;

/** A turn of the past that was answered. */
export interface EarlierTurn {
  prompt: string;
  answer: string;
}

/** Which turns are earlier ones. */
export interface Earlier {
  dialogId: string;
  daoId: string;
  before: Date;
  /** Those up to then are in a summary; null: none are. */
  after: Date | null;
}

const earlierTurns = (db: Db, { dialogId, daoId, before, after }: Earlier) =>
  db
    .selectFrom('turns')
    .where('dialog_id', '=', dialogId)
    .where('dao_id', '=', daoId)
    .where('created_at', '<', before)
    .$if(after !== null, (query) => query.where('created_at', '>', after ?? before))
    .where('answer', 'is not', null)
    .orderBy('created_at', 'desc')
    .limit(HISTORY_TURNS)
    .select(['prompt', 'answer', 'created_at']);

/**
 * The newest turns of a session that fit together, newest first. The lengths are known without the texts, so what is
 * too long is never read.
 * @param bytes most bytes of UTF-8 of all prompts and answers
 */
export async function newestTurns(db: Db, earlier: Earlier, bytes: number): Promise<EarlierTurn[]> {
  const sum = sql<number>`sum(octet_length(prompt) + octet_length(answer))
    over (order by created_at desc rows unbounded preceding)`;
  const measured = db.selectFrom(earlierTurns(db, earlier).as('turn')).selectAll().select(sum.as('bytes'));
  const rows = await guardStore(() =>
    db
      .selectFrom(measured.as('measured'))
      .where('bytes', '<=', bytes)
      .orderBy('created_at', 'desc')
      .select(['prompt', 'answer'])
      .execute(),
  );
  return rows.map(({ prompt, answer }) => ({ prompt, answer: answer ?? '' }));
}
