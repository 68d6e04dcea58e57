import type { OpenUpdate } from '../../contracts/dialog.js';
import { plainText, type RichText } from '../../contracts/rich-text.js';
import { sha256 } from '../../adapters/digest.js';
import type { RequestCounter } from '../../adapters/limits/request-counter.js';
import type { StrangersRepository } from '../../adapters/store/strangers.repository.js';
import { commandOf } from '../../domain/dialog/command.js';
import { wordsOf } from '../../domain/dialog/joining.js';
import { languageFor } from '../../domain/dialog/language.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import { daoOfSecret } from '../../domain/invitation-secret.js';

/** So often in a minute one person is told that no DAO knows them; and so often all are together. */
const MOST_EACH = 3;
const MOST_ALL = 60;

export interface StrangersParts {
  strangers: Pick<StrangersRepository, 'invitedTo' | 'adopt' | 'mayTell'>;
  counter: Pick<RequestCounter, 'take'>;
}

/**
 * Whoever writes where no DAO answers: they are told so, seldom, and nothing else is done for them. It costs a count and
 * a message, however many of them there are.
 */
export class Strangers {
  constructor(private readonly parts: StrangersParts) {}

  /** The DAO that a message is of by the invitation that it brings; null: it brings none. */
  async invitedTo({ id, kind, body }: OpenUpdate): Promise<string | null> {
    const command = body.kind === 'message' ? commandOf(body.text) : undefined;
    if (kind !== 'private' || command?.name !== 'start' || daoOfSecret(command.args) === undefined) return null;
    const daoId = await this.parts.strangers.invitedTo(sha256(command.args));
    if (daoId === undefined) return null;
    await this.parts.strangers.adopt(id, daoId);
    return daoId;
  }

  /**
   * What somebody is told who belongs to no DAO, or whose group does not; undefined: nothing.
   * @param isFirst whether it is tried for the first time: what was to be said once is said
   */
  async told(update: OpenUpdate, isFirst: boolean): Promise<RichText | undefined> {
    const { kind, actor, body, address, language, speaks } = update;
    if (body.kind !== 'message' || (isFirst && !(await this.mayTell(update)))) return undefined;
    const { strangerHere, groupOfNone } = phrasesIn(languageFor(wordsOf(body), language, speaks), address.source);
    return plainText(kind === 'private' ? strangerHere(actor) : groupOfNone);
  }

  private async mayTell({ kind, actor, chat }: OpenUpdate): Promise<boolean> {
    const { counter, strangers } = this.parts;
    if (!(await counter.take(`stranger:${actor}`, MOST_EACH)).allowed) return false;
    if (!(await counter.take('strangers', MOST_ALL)).allowed) return false;
    return kind === 'private' || strangers.mayTell(chat);
  }
}
