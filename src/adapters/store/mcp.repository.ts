import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { MCP_ROUTE_PREFIX } from '../../contracts/ids.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

const SECRET_BYTES = 32;

/** What the MCP server keeps of its own. */
export class McpRepository {
  constructor(private readonly tenants: Tenants) {}

  /** A secret that all processes share; whoever asks first makes it. @returns 32 bytes */
  async secret(name: string): Promise<Uint8Array> {
    const { rows } = await guardStore(() =>
      sql<{ value: Uint8Array }>`
        with made as (
          insert into secrets (name, value) values (${name}, ${randomBytes(SECRET_BYTES)})
          on conflict (name) do nothing
          returning value
        )
        select value from made union all select value from secrets where name = ${name} limit 1
      `.execute(this.tenants.all),
    );
    const found = rows[0];
    // Two made it at once: the other's is there now, and was not when this statement began.
    return found ? new Uint8Array(found.value) : this.secret(name);
  }

  /** Notes that somebody has come back to a request. */
  async join(requestId: string, daoId: string): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('requests')
        .set({ joined_at: sql`now()` })
        .where('dao_id', '=', daoId)
        .where('id', '=', requestId)
        .execute(),
    );
  }

  /** Whether nobody has come back to a request within the last so many milliseconds. */
  async isLeft(requestId: string, daoId: string, withinMs: number): Promise<boolean> {
    const row = await guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('requests')
        .where('dao_id', '=', daoId)
        .where('id', '=', requestId)
        .select(sql<boolean>`coalesce(joined_at < now() - ${withinMs} * interval '1 millisecond', true)`.as('left'))
        .executeTakeFirst(),
    );
    return row?.left ?? true;
  }

  /**
   * Lets go of the idempotency key of a request: what is sent again from now on is another one. Not of what came another
   * way, where programs choose their keys.
   */
  async letGo(requestId: string, daoId: string): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('requests')
        .set({ idempotency_key: null })
        .where('dao_id', '=', daoId)
        .where('id', '=', requestId)
        .where('idempotency_scope', 'like', `% ${MCP_ROUTE_PREFIX}%`)
        .execute(),
    );
  }
}
