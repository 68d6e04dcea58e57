import type { InboxRepository, NextUpdate } from '../../src/adapters/store/inbox.repository.js';
import type { ChatAddress, Inbound } from '../../src/contracts/dialog.js';

let count = 0;
let chats = 0;

/** A message that somebody wrote to the bot. Each is another update. */
export function anInbound(changes: Partial<Inbound> = {}): Inbound {
  count += 1;
  return {
    updateKey: `tg:1:${process.pid}.${count}`,
    place: { source: 'tg', chat: '1', topic: null, kind: 'private' },
    space: null,
    actor: 'tg:12345',
    language: 'en',
    lane: 'turn',
    order: count,
    messageId: String(count),
    body: { kind: 'message', text: 'How long do members vote?' },
    ...changes,
  };
}

/** A private chat that no other test uses. */
export function aChat(): ChatAddress {
  chats += 1;
  return { source: 'tg', chat: String(chats), topic: '' };
}

/** A message in a private chat. */
export const written = ({ source, chat }: ChatAddress, changes: Partial<Inbound> = {}): Inbound =>
  anInbound({ ...changes, place: { source, chat, topic: null, kind: 'private' } });

/** Takes the next message of a chat, which must be there. */
export async function taken(inbox: InboxRepository, address: ChatAddress, usualDao: string): Promise<NextUpdate> {
  const update = await inbox.next(address, 'turn', usualDao);
  if (!update) throw new Error('nothing is next');
  return update;
}
