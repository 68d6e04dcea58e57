import type { Language, OpenUpdate, Reply } from '../../contracts/dialog.js';
import type { Place } from '../../contracts/messenger.js';
import type { RecordedReply } from '../../adapters/store/replies.repository.js';

/** Where something came in, and where it is answered. */
export const placeOf = ({ address, kind }: OpenUpdate): Place => ({
  source: address.source,
  chat: address.chat,
  topic: address.topic === '' ? null : address.topic,
  kind,
});

/** What came in, with the DAO and the language in which it is answered. */
interface Answered {
  update: OpenUpdate;
  daoId: string;
  language: Language;
}

/** A reply on record, as it is written. */
export const replyOf = (
  { update, daoId, language }: Answered,
  { id, content, requestId, generation, isNew, parts }: RecordedReply,
): Reply => ({
  ...{ id, daoId, content, requestId, generation, isNew, parts, language },
  chat: update.chat,
  place: placeOf(update),
  replyTo: update.messageId,
});
