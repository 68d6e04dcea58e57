import type { Inbound } from '../../src/contracts/dialog.js';

let count = 0;

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
