import { sql } from 'kysely';
import type { Offer } from '../../contracts/conversation.js';
import type { OpenUpdate } from '../../contracts/dialog.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** For how long an offer can be taken, in minutes. */
const OPEN_MINUTES = 24 * 60;

/** What came of taking an offer: it, or why it was not to be had. */
export type TakenOffer = { offer: Offer } | { problem: 'gone' | 'taken' | 'others' };

interface Row {
  actor: string;
  taken_by: string | null;
}

/** What people were offered to begin. Each is taken once, by whoever it was offered to. */
export class OffersRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Writes an offer down. Made again for the same message it says what it says now, unless it was taken.
   * @returns its id
   */
  async make(
    { id, chat, actor }: OpenUpdate,
    daoId: string,
    { command, args, said }: Omit<Offer, 'id'>,
  ): Promise<string> {
    await guardStore(() =>
      sql`
        insert into offers as offer (id, dao_id, chat, actor, command, args, said, expires_at)
        values (${id}, ${daoId}, ${chat}, ${actor}, ${command}, ${args}, ${said}, now() + make_interval(mins => ${OPEN_MINUTES}))
        on conflict (id) do update set command = excluded.command, args = excluded.args, said = excluded.said
        where offer.taken_at is null
      `.execute(this.tenants.of(daoId)),
    );
    return id;
  }

  /** Takes an offer, for a press; the same press takes it again. */
  async take(id: string, { id: press, actor, chat }: OpenUpdate, daoId: string): Promise<TakenOffer> {
    const db = this.tenants.of(daoId);
    const { rows } = await guardStore(() =>
      sql<Offer>`
        update offers set taken_at = coalesce(taken_at, now()), taken_by = ${press}
        where id = ${id} and dao_id = ${daoId} and chat = ${chat} and actor = ${actor}
          and (taken_by = ${press} or taken_by is null and expires_at > now())
        returning id, command, args, said
      `.execute(db),
    );
    const [offer] = rows;
    if (offer) return { offer };
    const { rows: there } = await guardStore(() =>
      sql<Row>`
        select actor, taken_by from offers where id = ${id} and dao_id = ${daoId} and chat = ${chat}
      `.execute(db),
    );
    const [row] = there;
    if (!row) return { problem: 'gone' };
    if (row.actor !== actor) return { problem: 'others' };
    return { problem: row.taken_by === null ? 'gone' : 'taken' };
  }
}
