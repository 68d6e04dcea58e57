import { sql } from 'kysely';
import { openRunsOf } from './forgetting-crews.js';
import { withoutWords, type Forgotten } from './forgotten.js';
import type { Db } from './tenants.js';

/** Requests that have not ended, of which a refusal names at most this many. */
const NAMED_REQUESTS = 20;

/** What one of these did. */
const actedBy = (userIds: readonly string[]) => sql<boolean>`actor = any (${[...userIds]}::text[])`;

/**
 * Requests of a person that have not ended, oldest first, and runs of crews that hold words of theirs; steps of runs are
 * stopped with their run.
 */
export async function openRequestsOf(db: Db, forgotten: Forgotten): Promise<string[]> {
  const { daoId, userIds } = forgotten;
  const rows = await db
    .selectFrom('requests')
    .where('dao_id', '=', daoId)
    .where('ended_at', 'is', null)
    .where('run_id', 'is', null)
    .where(actedBy(userIds))
    .orderBy('id')
    .limit(NAMED_REQUESTS)
    .select('id')
    .execute();
  const runs = await openRunsOf(db, forgotten, NAMED_REQUESTS);
  return [...new Set([...rows.map(({ id }) => id), ...runs])].toSorted().slice(0, NAMED_REQUESTS);
}

/** What makes the record's names for strangers of a DAO. */
export async function saltOf(db: Db, daoId: string): Promise<string> {
  const chain = db.selectFrom('audit_chains').where('chain', '=', daoId).select('salt');
  return (await chain.executeTakeFirstOrThrow()).salt;
}

/**
 * Erases what was said and who said it. Requests stay for the statistics: when, which mode, rule and provider, what was
 * used, how it ended. What they were decided on goes, so they cannot be decided again.
 * @returns how many requests there were, steps of runs aside
 */
export async function eraseWords(db: Db, { daoId, userIds, pseudonym }: Forgotten): Promise<number> {
  const requests = db.selectFrom('requests').where('dao_id', '=', daoId).where(actedBy(userIds)).select('id');
  await db.deleteFrom('turns').where('dao_id', '=', daoId).where('request_id', 'in', requests).execute();
  await db.deleteFrom('dialogs').where('dao_id', '=', daoId).where(actedBy(userIds)).execute();
  await db.deleteFrom('refusals').where('dao_id', '=', daoId).where(actedBy(userIds)).execute();
  const { many } = await db
    .selectFrom('requests')
    .where('dao_id', '=', daoId)
    .where('run_id', 'is', null)
    .where(actedBy(userIds))
    .select(sql<number>`count(*)::int`.as('many'))
    .executeTakeFirstOrThrow();
  await db
    .updateTable('requests')
    .set({
      ...{ actor: pseudonym, metadata: '{}', access: null, agent: null, source: null },
      ...{ idempotency_scope: null, idempotency_key: null, body_hash: null },
      error: withoutWords,
    })
    .where('dao_id', '=', daoId)
    .where(actedBy(userIds))
    .execute();
  return many;
}

/** Takes the person's ids out of proposals to invite them; the proposals are the DAO's, and stay. */
export async function eraseFromProposals(db: Db, { daoId, userIds, pseudonym }: Forgotten): Promise<void> {
  const invited = sql<boolean>`action->>'user_id' = any (${[...userIds]}::text[])`;
  await sql`
    update proposals set actions = (
      select jsonb_agg(
        case when ${invited} then jsonb_set(action, '{user_id}', to_jsonb(${pseudonym}::text)) else action end order by place
      ) from jsonb_array_elements(actions) with ordinality as list (action, place)
    )
    where dao_id = ${daoId} and exists (select from jsonb_array_elements(actions) as action where ${invited})
  `.execute(db);
}

/** Forgets kept answers of a DAO: they do not say whose question made them. */
export async function eraseKeptAnswers(db: Db, daoId: string): Promise<void> {
  await db.deleteFrom('answer_cache').where('dao_id', '=', daoId).execute();
}

/** Revokes the keys that act as the person, and takes the person's ids off them; and the names off those and their own. */
export async function eraseKeysOf(db: Db, { daoId, userIds, pseudonym }: Forgotten): Promise<void> {
  await db
    .updateTable('api_keys')
    .set({ principal: pseudonym, name: pseudonym, subject: null, revoked_at: sql<Date>`coalesce(revoked_at, now())` })
    .where('dao_id', '=', daoId)
    .where(sql<boolean>`principal = any (${[...userIds]}::text[])`)
    .execute();
  // What somebody called a bot may say whose it is. Without its owner it opens nothing.
  await db
    .updateTable('api_keys')
    .set({ name: pseudonym })
    .where('dao_id', '=', daoId)
    .where('owner', '=', pseudonym)
    .execute();
}
