import { API_PRINCIPAL_PREFIX } from './ids.js';

/** How our own names begin: of keys, of members, of strangers on the record. No person has one of them from a platform. */
const OURS = [API_PRINCIPAL_PREFIX, 'p_', 'x_'];

/** What cannot be seen, or turns what stands beside it: with it two ids look like one. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|[^\S ]/u;

/** Why this can be no id that a platform gave a person; undefined: it can. */
export function noPersonId(id: string): string | undefined {
  const ours = OURS.find((prefix) => id.startsWith(prefix));
  if (ours !== undefined) return `begins with "${ours}", as no person’s id from a platform does`;
  if (UNSEEN.test(id)) return 'has characters that cannot be seen';
  return id.trim() === id && id !== '' ? undefined : 'begins or ends with a blank';
}
