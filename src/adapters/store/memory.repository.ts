import { sql } from 'kysely';
import type { ChatAddress } from '../../contracts/dialog.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** Most turns that go into one summary. */
const MOST_TURNS = 60;
/** How much what is summed up is at least, beside what stays whole. */
export const WORTH = 0.5;

/** What of a dialog is to be summed up: its oldest turns that are in no summary yet. */
export interface OldTurns {
  dialogId: string;
  /** Of what came before them; null: nothing did. */
  summary: string | null;
  /** Until when that reaches. */
  summarisedTo: Date | null;
  /** Oldest first. */
  turns: { actor: string; prompt: string; answer: string; createdAt: Date }[];
}

/** Which dialog: that of a chat with a DAO. */
export interface DialogPlace {
  daoId: string;
  chat: string;
}

/** What dialogs remember beyond the turns that a model is told whole. */
export class MemoryRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Whether a chat's row is that of an address. */
  async isAt({ daoId, chat }: DialogPlace, { source, chat: id, topic }: ChatAddress): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql`
        select 1 from chats where id = ${chat} and source = ${source} and chat_id = ${id} and topic = ${topic}
      `.execute(this.tenants.of(daoId)),
    );
    return rows.length > 0;
  }

  /** Whether the turns of a chat's dialog that are in no summary yet are longer than so many bytes together. */
  async isLonger({ daoId, chat }: DialogPlace, bytes: number): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql<{ longer: boolean }>`select is_longer(${daoId}, ${chat}, ${bytes}) as longer`.execute(this.tenants.of(daoId)),
    );
    return rows[0]?.longer ?? false;
  }

  /**
   * The turns of a chat's dialog that are too old to be told whole, once they are worth a summary.
   * @param bytes most bytes of the newest turns, which stay whole; the older ones are given once they are half as much
   */
  async old({ daoId, chat }: DialogPlace, bytes: number): Promise<OldTurns | undefined> {
    const { rows } = await guardStore(() =>
      sql<{
        dialog_id: string;
        summary: string | null;
        summarised_to: Date | null;
        actor: string;
        prompt: string;
        answer: string;
        created_at: Date;
        before: string;
      }>`
        with dialog as (
          select id, summary, summarised_to from dialogs where dao_id = ${daoId} and chat = ${chat}
        ), measured as (
          select turn.request_id, turn.prompt, turn.answer, turn.created_at,
            sum(octet_length(prompt) + octet_length(answer)) over (order by turn.created_at desc) as newer,
            octet_length(prompt) + octet_length(answer) as own
          from turns turn, dialog
          where turn.dialog_id = dialog.id and turn.dao_id = ${daoId} and turn.answer is not null
            and (dialog.summarised_to is null or turn.created_at > dialog.summarised_to)
        )
        select dialog.id as dialog_id, dialog.summary, dialog.summarised_to, request.actor, measured.prompt,
          measured.answer, measured.created_at, sum(measured.own) over () as before
        from measured, dialog, requests request
        where measured.newer > ${bytes} and request.id = measured.request_id and request.dao_id = ${daoId}
        order by measured.created_at
        limit ${MOST_TURNS}
      `.execute(this.tenants.of(daoId)),
    );
    const [first] = rows;
    if (!first || Number(first.before) < bytes * WORTH) return undefined;
    return {
      dialogId: first.dialog_id,
      summary: first.summary,
      summarisedTo: first.summarised_to,
      turns: rows.map(({ actor, prompt, answer, created_at: createdAt }) => ({ actor, prompt, answer, createdAt })),
    };
  }

  /** Keeps a summary, unless another was made meanwhile. */
  async keep(daoId: string, { dialogId, summarisedTo, turns }: OldTurns, summary: string): Promise<void> {
    const to = turns.at(-1)?.createdAt;
    if (!to) return;
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('dialogs')
        .set({ summary, summarised_to: to })
        .where('id', '=', dialogId)
        .where('dao_id', '=', daoId)
        .where(sql<boolean>`summarised_to is not distinct from ${summarisedTo}`)
        .execute(),
    );
  }

  /** Forgets what a request for a summary said: it was made of the words of others. */
  async forgetWords(requestId: string, daoId: string): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('turns')
        .set({ prompt: '', answer: '', call: null })
        .where('request_id', '=', requestId)
        .where('dao_id', '=', daoId)
        .execute(),
    );
  }
}
