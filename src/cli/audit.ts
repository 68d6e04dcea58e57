import { z } from 'zod';
import { EXPORT_FORMAT, PLATFORM_CHAIN } from '../contracts/audit.js';
import type { DagiClient } from './client.js';
import { readList, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { understood } from './understood.js';

/** A signed head, as it is posted and exported. */
export const HeadSchema = z.object({
  chain: z.string(),
  day: z.string(),
  seq: z.number(),
  hash: z.string(),
  at: z.string(),
  key_id: z.string(),
  signature: z.string(),
});

const PublicKeySchema = z.object({ key_id: z.string(), public_key: z.string() });

/** First line of an export. */
export const HeaderSchema = z.looseObject({
  format: z.literal(EXPORT_FORMAT),
  chain: z.string(),
  exported_at: z.string(),
  ends_at: z.number().nullable(),
  keys: z.array(PublicKeySchema),
  heads: z.array(HeadSchema),
});
export type Header = z.output<typeof HeaderSchema>;

export const RowSchema = z.looseObject({ seq: z.number(), entry: z.string(), hash: z.string() });

/** Answer of `GET /audit/key`. */
export const KeysSchema = z.looseObject({ key_id: z.string().nullable(), keys: z.array(PublicKeySchema) });

const ReportSchema = z.looseObject({
  day: z.string(),
  signed: z.number(),
  published: z.number(),
  broken: z.array(z.string()),
});

/** How people are told which chain is meant. */
export const nameOfChain = (chain: string): string => (chain === PLATFORM_CHAIN ? 'the installation' : plain(chain));

const ShownRowSchema = RowSchema.extend({ actor_ids: z.array(z.string()).optional() });
const EntrySchema = z.looseObject({ at: z.string(), actor: z.string(), action: z.string(), subject: z.string() });

/** Which rows `dagi audit list` shows. */
export interface AuditFilter {
  dao?: string;
  action?: string;
  actor?: string;
  limit?: number;
}

/** `dagi audit list`: who did what, oldest first, with the ids of platforms that the caller may see. */
export async function listRecord(client: DagiClient, { dao, action, actor, limit }: AuditFilter): Promise<Told> {
  const filter = { dao_id: dao, action, actor };
  const { entries, answer, more } = await readList(client, {
    ...{ path: '/audit', name: 'rows', entry: ShownRowSchema, filter, limit },
  });
  const rows = entries.map(({ seq, entry, actor_ids: ids = [] }) => {
    const { at, actor: who, action: what, subject } = understood(EntrySchema, JSON.parse(entry));
    return [String(seq), at, [who, ...ids].join(' '), what, subject];
  });
  return { answer, text: table(['row', 'at', 'who', 'did', 'to'], rows) + more };
}

/** `dagi audit sign`: signs the heads of today that are not signed yet. */
export async function signHeads(client: DagiClient): Promise<{ text: string; well: boolean }> {
  const { day, signed, published, broken } = understood(ReportSchema, await client.json('POST', '/audit/heads'));
  const lines = [`heads of ${day}: ${signed} signed, ${published} posted now; the others were before`];
  for (const chain of broken) {
    lines.push(`NOT signed: ${nameOfChain(chain)} does not hold any more what was signed of it; export and verify it`);
  }
  return { text: `${lines.join('\n')}\n`, well: broken.length === 0 };
}

/** `dagi audit key`: the public keys, to be kept where the installation cannot change them. */
export async function showKeys(client: DagiClient): Promise<string> {
  const { key_id: current, keys } = understood(KeysSchema, await client.json('GET', '/audit/key'));
  if (keys.length === 0) return 'nothing is signed here: set DAGI_SIGNING_KEY\n';
  const rows = keys.map(({ key_id: id }) => [id, id === current ? 'signs now' : 'signed before']);
  return `${table(['key', ''], rows)}${keys.map(({ public_key: key }) => plain(key).trim()).join('\n')}\n`;
}
