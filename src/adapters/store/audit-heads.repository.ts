import { sql } from 'kysely';
import { chainOf, PLATFORM_CHAIN, type SignedHead } from '../../contracts/audit.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** How far a chain has come. */
export interface ChainState {
  chain: string;
  seq: number;
  hash: string;
}

/** The same, and whether the rows that are there still lead to it, and to the newest head that was signed. */
export interface CheckedChain extends ChainState {
  holds: boolean;
}

/** The same, with what was signed of it. */
export interface ChainToSign extends CheckedChain {
  /** The head that was signed on the day in question, if any was. */
  signed: SignedHead | undefined;
}

const COLUMNS = ['chain', 'seq', 'hash', 'key_id', 'signature', 'signed_at'] as const;
/** As text: a driver would make a moment of some time zone of it. */
const day = sql<string>`to_char(day, 'YYYY-MM-DD')`.as('day');

interface HeadRow {
  chain: string;
  seq: string;
  hash: string;
  key_id: string;
  signature: string;
  signed_at: Date;
  day: string;
}

const toHead = ({ signed_at, seq, ...rest }: HeadRow): SignedHead => ({
  ...rest,
  seq: Number(seq),
  at: signed_at.toISOString(),
});

/** Heads of chains as they were signed, day by day. Append-only. */
export class AuditHeadsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** How far a chain has come by now; one that never began has come nowhere. */
  async state(daoId: string | null): Promise<CheckedChain> {
    const chain = chainOf(daoId);
    const { rows } = await guardStore(() =>
      sql<{ seq: string; hash: string; holds: boolean }>`
        select c.seq, c.hash, case when c.seq = 0 then ${isUntouched} else ${holds} end as holds
        from (
          select named.chain, coalesce(k.seq, 0) as seq, coalesce(k.hash, '') as hash
          from (select ${chain}::text as chain) named left join audit_chains k on k.chain = named.chain
        ) c`.execute(this.handle(daoId)),
    );
    const { seq = '0', hash = '', holds: still = false } = rows[0] ?? {};
    return { chain, seq: Number(seq), hash, holds: still };
  }

  /** Heads of a chain, behind a day. */
  async page(daoId: string | null, after: string, limit: number): Promise<SignedHead[]> {
    const rows = await guardStore(() =>
      this.handle(daoId)
        .selectFrom('audit_heads')
        .where('chain', '=', chainOf(daoId))
        .where('day', '>', after === '' ? sql<string>`'-infinity'::date` : sql<string>`${after}::date`)
        .orderBy('audit_heads.day')
        .limit(limit)
        .select([...COLUMNS, day])
        .execute(),
    );
    return rows.map(toHead);
  }

  /** Chains that have rows, behind `after`, with what was signed of them. */
  async toSign(today: string, after: string | undefined, limit: number): Promise<ChainToSign[]> {
    return guardStore(async () => {
      const chains = await this.tenants.all
        .selectFrom('audit_chains as c')
        .where('c.seq', '>', '0')
        .$if(after !== undefined, (query) => query.where('c.chain', '>', after ?? PLATFORM_CHAIN))
        .orderBy('c.chain')
        .limit(limit)
        .select(['c.chain', 'c.seq', 'c.hash', holds.as('holds')])
        .execute();
      const signed = await this.signedOn(
        today,
        chains.map(({ chain }) => chain),
      );
      return chains.map(({ chain, seq, hash, holds }) => ({
        ...{ chain, hash, holds, signed: signed.get(chain) },
        seq: Number(seq),
      }));
    });
  }

  /**
   * Keeps the head of a chain for its day, unless one is kept.
   * @returns the one that is kept, and whether it is this one
   */
  async keep({ at, seq, ...head }: SignedHead): Promise<{ kept: SignedHead; isNew: boolean }> {
    return guardStore(async () => {
      const { all } = this.tenants;
      const added = await all
        .insertInto('audit_heads')
        .values({ ...head, seq: String(seq), signed_at: new Date(at) })
        .onConflict((conflict) => conflict.columns(['chain', 'day']).doNothing())
        .returning('chain')
        .executeTakeFirst();
      if (added) return { kept: { ...head, at, seq }, isNew: true };
      const kept = (await this.signedOn(head.day, [head.chain])).get(head.chain);
      return { kept: kept ?? { ...head, at, seq }, isNew: false };
    });
  }

  /** Whether the installation's chain has such a row. @param db of a change that holds the chain */
  async isOnRecord(db: Db, action: string, subject: string): Promise<boolean> {
    const row = await db
      .selectFrom('audit')
      .where('chain', '=', PLATFORM_CHAIN)
      .where('action', '=', action)
      .where('subject', '=', subject)
      .select('seq')
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  private async signedOn(today: string, chains: string[]): Promise<Map<string, SignedHead>> {
    if (chains.length === 0) return new Map();
    const rows = await this.tenants.all
      .selectFrom('audit_heads')
      .where('chain', 'in', chains)
      .where('day', '=', sql<string>`${today}::date`)
      .select([...COLUMNS, day])
      .execute();
    return new Map(rows.map((row) => [row.chain, toHead(row)]));
  }

  private handle(daoId: string | null): Db {
    return daoId === null ? this.tenants.all : this.tenants.of(daoId);
  }
}

/**
 * Whether the rows of a chain are there up to where it has come, and the one under the newest head has that head's hash,
 * if anything was signed yet. Who altered other rows is found by whoever verifies an export.
 */
const holds = sql<boolean>`
  coalesce((select a.hash = c.hash from audit a where a.chain = c.chain and a.seq = c.seq), false)
  and coalesce((
    select coalesce(a.hash = h.hash, false)
    from audit_heads h left join audit a on a.chain = h.chain and a.seq = h.seq
    where h.chain = c.chain order by h.day desc limit 1
  ), true)`;

/** Whether a chain that has come nowhere never came anywhere. */
const isUntouched = sql<boolean>`
  not exists (select from audit a where a.chain = c.chain)
  and not exists (select from audit_heads h where h.chain = c.chain)`;
