import { sql, type RawBuilder } from 'kysely';
import type { Forgotten } from './forgotten.js';
import type { Db } from './tenants.js';

const theirs = ({ userIds }: Forgotten): RawBuilder<string[]> => sql`any (${[...userIds]}::text[])`;

/**
 * Erases what chats hold of a person: what they wrote and what they were answered, what they were asked and offered, and
 * what they thought of answers. Of dialogs of groups in which they spoke the summary goes, since it may tell of it. To be
 * done while requests still say who sent them.
 */
export async function eraseDialogs(db: Db, forgotten: Forgotten): Promise<void> {
  const { daoId } = forgotten;
  await eraseOpinions(db, forgotten);
  await eraseSummaries(db, forgotten);
  const own = sql`select id from chats where kind = 'private' and user_id = ${theirs(forgotten)}`;
  for (const table of ['offers', 'pending', 'run_chats', 'replies', 'inbox'] as const) {
    await sql`
      delete from ${sql.table(table)} where dao_id = ${daoId} and (actor = ${theirs(forgotten)} or chat in (${own}))
    `.execute(db);
  }
  // Messages about news, which are in their chats alone; whose they are is kept nowhere else than with the member.
  await sql`delete from deliveries where dao_id = ${daoId} and chat in (${own})`.execute(db);
  await sql`delete from dialogs where dao_id = ${daoId} and chat in (${own})`.execute(db);
  await sql`select forget_chats(${daoId}, ${[...forgotten.userIds]}::text[])`.execute(db);
}

/** What the person thought of answers, and what others said of answers to the person. */
async function eraseOpinions(db: Db, forgotten: Forgotten): Promise<void> {
  const { daoId } = forgotten;
  await sql`delete from feedback where dao_id = ${daoId} and actor = ${theirs(forgotten)}`.execute(db);
  await sql`
    update feedback set comment = null where dao_id = ${daoId} and request_id in (
      select id from requests where dao_id = ${daoId} and actor = ${theirs(forgotten)}
    )
  `.execute(db);
}

async function eraseSummaries(db: Db, forgotten: Forgotten): Promise<void> {
  const { daoId } = forgotten;
  await sql`
    update dialogs set summary = null, summarised_to = null
    where dao_id = ${daoId} and chat is not null and summary is not null and id in (
      select turns.dialog_id from turns join requests on requests.id = turns.request_id
      where turns.dao_id = ${daoId} and requests.actor = ${theirs(forgotten)}
    )
  `.execute(db);
}
