import { sql } from 'kysely';
import type { OpenUpdate, Refused } from '../../contracts/dialog.js';
import type { Mode, RequestStatus } from '../../contracts/request.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** A reply as it was shown in a chat. */
export interface ShownAnswer {
  /** The request whose answer it is; null: it had words of its own. */
  requestId: string | null;
  /** Why it says no; null: it does not. */
  refused: Refused | null;
}

/** Something that a person has at work. */
export interface AtWork {
  id: string;
  mode: Mode;
  status: RequestStatus;
  /** Of mode crew. */
  crew: string | null;
  /** Whether somebody is to decide something of it. */
  waitsForPeople: boolean;
}

const MOST_AT_WORK = 10;

interface Row {
  request_id: string | null;
  refused: Refused | null;
}

const shown = sql`reply.request_id, reply.content -> 'refused' as refused`;
const toShown = ({ request_id: requestId, refused }: Row): ShownAnswer => ({ requestId, refused });

/** What chats were shown, looked up from the chat's side. */
export class ShownAnswersRepository {
  constructor(private readonly tenants: Tenants) {}

  /** The reply that a message is a part of, or that answers it. */
  async ofMessage(daoId: string, chat: string, messageId: string): Promise<ShownAnswer | undefined> {
    const { rows } = await guardStore(() =>
      sql<Row>`
        select ${shown} from replies reply
        where reply.dao_id = ${daoId} and reply.chat = ${chat} and reply.id in (
          select reply_id from reply_parts where message_id = ${messageId} and chat = ${chat}
          union all select coalesce(joined_to, id) from inbox where message_id = ${messageId} and chat = ${chat}
        )
        order by reply.created_at desc limit 1
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0] && toShown(rows[0]);
  }

  /** The last answer, or refusal, that a person got in a chat before something they did. */
  async lastTo({ id, chat, actor }: OpenUpdate, daoId: string): Promise<ShownAnswer | undefined> {
    const { rows } = await guardStore(() =>
      sql<Row>`
        select ${shown} from replies reply
        where reply.dao_id = ${daoId} and reply.chat = ${chat} and reply.actor = ${actor} and reply.id <> ${id}
          and (reply.request_id is not null or reply.content ? 'refused')
        order by reply.created_at desc limit 1
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0] && toShown(rows[0]);
  }

  /** Whether a person was refused with a code in a chat since a moment. */
  async wasRefusedSince(
    { chat, actor }: OpenUpdate,
    daoId: string,
    { code, since }: { code: string; since: Date },
  ): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql`
        select 1 from replies reply
        where reply.dao_id = ${daoId} and reply.chat = ${chat} and reply.actor = ${actor} and reply.created_at >= ${since}
          and reply.content #>> '{refused,code}' = ${code}
        limit 1
      `.execute(this.tenants.of(daoId)),
    );
    return rows.length > 0;
  }

  /** Whether a request is a turn of a chat's dialog. */
  async isTurnOf(daoId: string, chat: string, requestId: string): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql`
        select 1 from turns join dialogs on dialogs.id = turns.dialog_id
        where turns.dao_id = ${daoId} and turns.request_id = ${requestId} and dialogs.chat = ${chat}
      `.execute(this.tenants.of(daoId)),
    );
    return rows.length > 0;
  }

  /** What a person has at work in a DAO, steps of runs aside, the newest first; and how many messages of theirs wait in a chat. */
  async atWork({ id, chat, actor }: OpenUpdate, daoId: string): Promise<{ requests: AtWork[]; waiting: number }> {
    const db = this.tenants.of(daoId);
    const rows = await guardStore(() =>
      db
        .selectFrom('requests')
        .where('dao_id', '=', daoId)
        .where('actor', '=', actor)
        .where('ended_at', 'is', null)
        .where('run_id', 'is', null)
        .orderBy('id', 'desc')
        .limit(MOST_AT_WORK)
        .select([
          ...(['id', 'mode', 'status'] as const),
          sql<string | null>`decision #>> '{crew,id}'`.as('crew'),
          sql<boolean>`exists (
            select from crew_gates gate
            where gate.dao_id = requests.dao_id and gate.run_id = requests.id and gate.state = 'open'
          )`.as('waitsForPeople'),
        ])
        .execute(),
    );
    // What waits has no DAO yet: it is seen from none.
    const { rows: counted } = await guardStore(() =>
      sql<{ waiting: number }>`
        select count(*)::int as waiting from inbox
        where chat = ${chat} and actor = ${actor} and lane = 'turn' and state in ('waiting', 'open') and id <> ${id}
          and stopped_at is null
      `.execute(this.tenants.all),
    );
    return { requests: rows, waiting: counted[0]?.waiting ?? 0 };
  }
}
