import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { ReportStream } from '../adapters/supply/reporter.js';
import { EXPORT_FORMAT, PLATFORM_CHAIN, type AuditRow } from '../contracts/audit.js';
import { HeadSchema, KeysSchema, RowSchema, type Header } from './audit.js';
import type { DagiClient } from './client.js';
import { ExportProgress } from './export-progress.js';
import { understood } from './understood.js';

const LIMIT = '200';

const BROKEN =
  'warning: this chain is not the one that was signed before, so no head closes the export; verify it (docs/audit.md)\n';

const HeadsSchema = z.looseObject({
  heads: z.array(HeadSchema),
  next: z.string().nullable(),
  /** An installation of before does not say. */
  holds: z.boolean().default(true),
  now: HeadSchema.nullable(),
});
type Heads = z.output<typeof HeadsSchema>;
const RowsSchema = z.looseObject({ rows: z.array(RowSchema), next: z.string().nullable() });

export interface ExportOptions {
  /** Absent: the DAO of the key, or the installation for a key of all DAOs. */
  dao?: string | undefined;
  /** Absent: standard output. */
  out?: string | undefined;
}

/**
 * `dagi audit export`: a line that says what follows, the rows of a chain as they were hashed, and a head that was signed
 * when the export began and that the rows lead to.
 * @returns how many rows there are
 */
export async function exportChain(
  client: DagiClient,
  { dao, out }: ExportOptions,
  stdout: Writable,
  err: ReportStream,
): Promise<number> {
  const { now, heads, holds } = await allHeads(client, dao);
  if (!holds) err.write(BROKEN);
  const { keys } = understood(KeysSchema, await client.json('GET', '/audit/key'));
  const chain = now?.chain ?? heads[0]?.chain ?? dao ?? PLATFORM_CHAIN;
  const header: Header = {
    ...{ format: EXPORT_FORMAT, chain, exported_at: new Date().toISOString() },
    ...{ ends_at: now?.seq ?? null, keys, heads },
  };
  const progress = new ExportProgress(err, 'rows', now?.seq);
  async function* lines(): AsyncGenerator<string> {
    yield line(header);
    for await (const row of rowsOf(client, dao, now?.seq ?? Infinity)) {
      progress.step();
      yield line(row);
    }
    if (now) yield line({ head: now });
  }
  try {
    await (out === undefined ? pipeline(Readable.from(lines()), stdout, { end: false }) : intoFile(lines(), out));
  } finally {
    progress.end();
  }
  return progress.done;
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

const pathOf = (path: string, dao: string | undefined, after: string | undefined): string => {
  const query = new URLSearchParams({ limit: LIMIT });
  if (dao !== undefined) query.set('dao_id', dao);
  if (after !== undefined) query.set('after', after);
  return `${path}?${query.toString()}`;
};

/** The heads of all days, and the one of this moment. */
async function allHeads(client: DagiClient, dao: string | undefined): Promise<Pick<Heads, 'heads' | 'now' | 'holds'>> {
  const first = understood(HeadsSchema, await client.json('GET', pathOf('/audit/heads', dao, undefined)));
  const { now, heads, holds } = first;
  for (let { next } = first; next !== null;) {
    const page = understood(HeadsSchema, await client.json('GET', pathOf('/audit/heads', dao, next)));
    heads.push(...page.heads);
    next = page.next;
  }
  // One of another day than `now` that was signed meanwhile says nothing of these rows.
  return { now, holds, heads: now ? heads.filter(({ seq }) => seq <= now.seq) : heads };
}

/** Rows up to one, page by page. */
async function* rowsOf(client: DagiClient, dao: string | undefined, last: number): AsyncGenerator<AuditRow> {
  let after: string | null = '0';
  while (after !== null) {
    const page: z.output<typeof RowsSchema> = understood(
      RowsSchema,
      await client.json('GET', pathOf('/audit', dao, after)),
    );
    for (const { seq, entry, hash } of page.rows) {
      if (seq > last) return;
      yield { seq, entry, hash };
    }
    after = page.next;
  }
}

/** What lies under the name is whole: an export that broke off has another. */
async function intoFile(lines: AsyncGenerator<string>, file: string): Promise<void> {
  const part = `${file}.part`;
  await pipeline(Readable.from(lines), createWriteStream(part));
  await rename(part, file);
}
