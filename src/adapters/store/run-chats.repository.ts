import type { Language } from '../../contracts/dialog.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** Where a run of a crew was asked for. */
export interface RunChat {
  runId: string;
  daoId: string;
  /** Id of the chat's row. */
  chat: string;
  actor: string;
  messageId: string | null;
  language: Language;
}

/** Which chats are to be told of which runs of crews. */
export class RunChatsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Writes down where a run was asked for, once. */
  async add({ runId, daoId, chat, actor, messageId, language }: RunChat): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .insertInto('run_chats')
        .values({ run_id: runId, dao_id: daoId, chat, actor, message_id: messageId, language })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
  }
}
