import type { Database } from '../../src/adapters/store/database.js';
import { applyChanges, CrewRunsRepository } from '../../src/adapters/store/crew-runs.repository.js';
import { CrewsRepository } from '../../src/adapters/store/crews.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { GateOrder } from '../../src/contracts/crew-run.js';
import type { ChatAddress, Language } from '../../src/contracts/dialog.js';
import { aCrew, aTaskDefinition, ROOM } from './crew.js';
import { aRequest } from './requests.js';

/** An approval of admins, as `advance` orders it. */
export const APPROVAL: GateOrder = {
  ...{ id: 'output.plan-1', kind: 'approval', task: 'plan', ask: 'Well?', shown: { output: { text: 'a plan' } } },
  ...{ roles: ['admin'], count: 1, self: false, remindAfterS: 60, expiresAfterS: 600 },
};

export interface ChatFacts {
  kind?: 'private' | 'group';
  space?: string;
  user?: string;
  closed?: boolean;
  language?: Language;
  /** How long ago it was used, in seconds. */
  agoS?: number;
}

/** A chat of the platform, under its own id. */
export async function aChatOf(database: Database, chat: string, facts: ChatFacts = {}): Promise<ChatAddress> {
  const { kind = 'private', space, user, closed = false, language = 'en', agoS = 0 } = facts;
  await database.all
    .insertInto('chats')
    .values({
      ...{ id: `chat of ${chat}`, source: 'tg', chat_id: chat, kind, space_id: space ?? null, user_id: user ?? null },
      ...{ language, closed_at: closed ? new Date() : null, seen_at: new Date(Date.now() - agoS * 1_000) },
    })
    .execute();
  return { source: 'tg', chat, topic: '' };
}

/** A run of a crew at a gate. @returns its id */
export async function aRunAt(
  database: Database,
  dao: string,
  gate: GateOrder,
  { by = 'tg:9', subject = 'tg:77' }: { by?: string; subject?: string | null } = {},
): Promise<string> {
  const definition = aCrew({ tasks: { plan: aTaskDefinition() } });
  await new CrewsRepository(database).keepVersion(dao, 'hash', definition);
  const run = { crew: definition.id, hash: 'hash', subject, inputs: {}, rights: ['agent.crew'], room: ROOM };
  const request = aRequest({ daoId: dao, actor: by, keyId: 'key-1', mode: 'crew', run });
  await new RequestsRepository(database).accept(request);
  const runs = new CrewRunsRepository(database);
  const head = await runs.head(request.id, dao);
  await runs.locked(head!, (db, loaded) =>
    applyChanges(db, loaded!, { tasks: {}, steps: [], gates: [gate], handoffs: 0 }),
  );
  return request.id;
}
