import { z } from 'zod';
import type { DagiClient } from './client.js';
import { ask, part, query, readList, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { understood } from './understood.js';

const SECOND_MS = 1_000;

const KeySchema = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  dao_id: z.string().nullish(),
  principal: z.string().nullish(),
  gateway: z.boolean().nullish(),
  owner: z.string().nullish(),
  /** None: no narrower than the owner. */
  scopes: z.array(z.string()).nullish(),
  expires_at: z.string().nullish(),
  last_used_at: z.string().nullish(),
  revoked_at: z.string().nullish(),
});
type Key = z.infer<typeof KeySchema>;
const CreatedSchema = KeySchema.extend({ key: z.string() });

const HEAD = ['id', 'name', 'dao', 'principal', 'owner', 'lets through', 'expires', 'last used', 'state'];

export interface CreateKeyOptions {
  dao?: string;
  principal?: string;
  name?: string;
  /** What the key lets through at most; absent: as much as the key that makes it. */
  scopes?: string[];
}

/** `dagi keys create`: prints the new key, which cannot be shown again. */
export async function createKey(client: DagiClient, options: CreateKeyOptions): Promise<Told> {
  const { dao, principal, name = 'made by dagi keys create', scopes } = options;
  const body = {
    ...(dao !== undefined && { dao_id: dao }),
    ...(principal !== undefined && { principal }),
    ...(scopes && { scopes }),
    name,
  };
  const answer = await ask(client, 'POST', '/keys', { body });
  const made = understood(CreatedSchema, answer);
  return { answer, text: `${shownOnce(made.key)}${plain(`id ${made.id}, lets through ${scopesOf(made)}\n`)}` };
}

/** `dagi keys list`: the keys that the caller rules over, never the keys themselves. */
export async function listKeys(
  client: DagiClient,
  { dao, limit }: { dao?: string; limit?: number } = {},
): Promise<Told> {
  const listing = { path: '/keys', name: 'keys', entry: KeySchema, filter: { dao_id: dao }, limit };
  const { entries, answer, more } = await readList(client, listing);
  return { answer, text: table(HEAD, entries.map(rowOf)) + more };
}

/**
 * `dagi keys rotate`: gives a key a successor, and prints it.
 * @param options overlap: for how long the former one works on, in milliseconds; absent: as the server says, a day
 */
export async function rotateKey(
  client: DagiClient,
  id: string,
  { dao, overlap }: { dao?: string; overlap?: number } = {},
): Promise<Told> {
  const body = overlap === undefined ? {} : { overlap_seconds: Math.round(overlap / SECOND_MS) };
  const answer = await ask(client, 'POST', `/keys/${part(id)}/rotate${query({ dao_id: dao })}`, { body });
  const made = understood(CreatedSchema, answer);
  const remark = `id ${made.id} takes the place of ${id}; until when that one works on: npx dagi keys list\n`;
  return { answer, text: `${shownOnce(made.key)}${plain(remark)}` };
}

/** `dagi keys revoke`: the key opens nothing from now on. */
export async function revokeKey(client: DagiClient, id: string, { dao }: { dao?: string } = {}): Promise<Told> {
  const answer = await ask(client, 'DELETE', `/keys/${part(id)}${query({ dao_id: dao })}`);
  return { answer, text: plain(`revoked ${id}\n`) };
}

/** The key has the first line for itself. */
const shownOnce = (key: string): string => `${plain(key)}\n(shown this once: keep it now)\n`;

const rowOf = (key: Key): string[] => [
  key.id,
  key.name ?? '',
  key.dao_id ?? 'all',
  `${key.principal ?? ''}${key.gateway ? ' (gateway)' : ''}`,
  key.owner ?? '',
  scopesOf(key),
  key.expires_at ?? 'never',
  key.last_used_at ?? 'never',
  stateOf(key),
];

const scopesOf = ({ scopes }: Key): string => scopes?.join(', ') ?? 'what its owner may';

function stateOf({ revoked_at: revoked, expires_at: end }: Key): string {
  if (revoked) return 'revoked';
  return end && Date.parse(end) <= Date.now() ? 'expired' : 'active';
}
