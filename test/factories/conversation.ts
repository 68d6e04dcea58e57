import type { Entitlement } from '../../src/contracts/access.js';
import type { Language, OpenUpdate } from '../../src/contracts/dialog.js';
import { loadDefaultRoles } from '../../config/seed.js';
import { phrasesIn } from '../../src/domain/dialog/phrases.js';
import type { Acting } from '../../src/services/access.service.js';
import type { Asked } from '../../src/services/dialogs/commands/asked.js';
import { BOTS_KEY, type Turn } from '../../src/services/dialogs/turn.js';

export const DAO = 'greenfood-dao';

/** A message of `tg:12345` in a private chat. */
export const anUpdate = (changes: Partial<OpenUpdate> = {}): OpenUpdate => ({
  ...{ id: 'u1', chat: 'c1', address: { source: 'tg', chat: '12345', topic: '' }, kind: 'private', daoId: DAO },
  ...{ actor: 'tg:12345', messageId: '100', body: { kind: 'message', text: 'hi' }, revision: 1, isStopped: false },
  ...{ receivedAt: new Date('2026-11-30T12:00:00Z'), language: 'en', speaks: null, isClosed: false, isAgain: false },
  isAsked: true,
  ...changes,
});

export const aTurn = (text = 'hi', changes: Partial<OpenUpdate> = {}, language: Language = 'en'): Turn => ({
  ...{ daoId: DAO, language, text },
  update: anUpdate({ body: { kind: 'message', text }, ...changes }),
});

/** Somebody with a role that every DAO begins with. */
export function anActing(role = 'member', changes: Partial<Acting> = {}): Acting {
  const entitlements: Entitlement[] = loadDefaultRoles()[role] ?? [];
  const member = role === 'guest' ? {} : { member: 'p_me' };
  return {
    ...{ actor: 'tg:12345', daoId: DAO, key: BOTS_KEY, rights: { roles: [role], entitlements } },
    facts: {
      ...{ dao: { id: DAO, name: 'GreenFood DAO' }, roles: [{ name: role, entitlements }], platformAdmin: false },
      ...member,
    },
    ...changes,
  };
}

/** A command of somebody. */
export const anAsked = (args = '', turn: Turn = aTurn(), acting: Acting = anActing()): Asked => ({
  ...{ turn, acting, args },
  phrases: phrasesIn(turn.language, turn.update.address.source),
});

/** What buttons send, row by row. */
export const pressesIn = (content: { buttons: readonly (readonly { press: string }[])[] } | undefined): string[][] =>
  (content?.buttons ?? []).map((row) => row.map(({ press }) => press));
