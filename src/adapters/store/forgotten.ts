import { sql } from 'kysely';

/** Whose traces are erased, and what is left in their place. */
export interface Forgotten {
  daoId: string;
  /** All ids by which platforms name the person. */
  userIds: readonly string[];
  /** The name that stays in statistics: that of the record, which nobody can read back. */
  pseudonym: string;
}

/** The code of an error alone: a provider's words may quote the prompt. */
export const withoutWords = sql<string>`case when error is not null then
  jsonb_build_object('code', error->'code', 'message', 'The words of this error were forgotten.') end`;
