import { z } from 'zod';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { plain } from './plain-text.js';
import { table } from './table.js';

const CreatedSchema = z.looseObject({ key: z.string() });
const KeySchema = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  dao_id: z.string().nullish(),
  principal: z.string().nullish(),
  gateway: z.boolean().nullish(),
  last_used_at: z.string().nullish(),
  revoked_at: z.string().nullish(),
});
const KeysSchema = z.looseObject({ keys: z.array(KeySchema), next: z.string().nullish() });

export interface CreateKeyOptions {
  dao?: string;
  principal?: string;
  name?: string;
}

/** `dagi keys create`: prints the new key, which cannot be shown again. */
export async function createKey(client: DagiClient, options: CreateKeyOptions): Promise<string> {
  const body = {
    ...(options.dao === undefined ? {} : { dao_id: options.dao }),
    ...(options.principal === undefined ? {} : { principal: options.principal }),
    name: options.name ?? 'made by dagi keys create',
  };
  const { key } = read(CreatedSchema, await client.json('POST', '/keys', { body }));
  return `${plain(key)}\n(shown this once: keep it now)\n`;
}

/** `dagi keys list`: every key that the caller may see, never the keys themselves. */
export async function listKeys(client: DagiClient): Promise<string> {
  const keys: z.infer<typeof KeySchema>[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: z.infer<typeof KeysSchema> = read(
      KeysSchema,
      await client.json('GET', `/keys?limit=200&after=${encodeURIComponent(after)}`),
    );
    keys.push(...page.keys);
    after = page.next ?? undefined;
  }
  const rows = keys.map((key) => [
    key.id,
    key.name ?? '',
    key.dao_id ?? 'all',
    `${key.principal ?? ''}${key.gateway ? ' (gateway)' : ''}`,
    key.last_used_at ?? 'never',
    key.revoked_at ? 'revoked' : 'active',
  ]);
  return table(['id', 'name', 'dao', 'principal', 'last used', 'state'], rows);
}

/** `dagi keys revoke`: the key opens nothing from now on. */
export async function revokeKey(client: DagiClient, id: string): Promise<string> {
  await client.json('DELETE', `/keys/${encodeURIComponent(id)}`);
  return `revoked ${id}\n`;
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success)
    throw new CliError('BAD_ANSWER', 'The server answered in a form that this version does not know.');
  return parsed.data;
}
