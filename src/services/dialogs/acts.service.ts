import type { Logger } from 'pino';
import type { ChatAddress, DialogStep, OpenUpdate, ReplyContent } from '../../contracts/dialog.js';
import type { Messenger, Source } from '../../contracts/messenger.js';
import { plainText } from '../../contracts/rich-text.js';
import type { ChatsRepository } from '../../adapters/store/chats.repository.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import { languageFor } from '../../domain/dialog/language.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import { AppError } from '../../errors/app-error.js';
import type { RequestsService } from '../requests.service.js';
import type { MessageRate } from './message-rate.js';
import type { SmallReplies } from './small-replies.js';
import { BOTS_KEY, MOST_ATTEMPTS, type Attempt, type Presses } from './turn.js';

export interface ActsParts {
  inbox: InboxRepository;
  chats: ChatsRepository;
  requests: RequestsService;
  presses: Presses;
  rate: Pick<MessageRate, 'maySayBeside'>;
  /** What is said beside turns. */
  small: Pick<SmallReplies, 'say' | 'change'>;
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  defaultDao: () => string | undefined;
  log: Logger;
}

/** What is done at once, beside what is being answered. */
export class ActsService {
  constructor(private readonly parts: ActsParts) {}

  /** Does all that is to be done in a chat, one after the other. @throws AppError of what is away */
  async doActs(address: ChatAddress, attempt: Attempt): Promise<DialogStep> {
    let wakesTurns = false;
    for (;;) {
      const update = await this.parts.inbox.next(address, 'act', this.parts.defaultDao());
      if (!update) break;
      wakesTurns = (await this.tried(update, attempt)) || wakesTurns;
      await this.parts.inbox.finish(update.id);
      if (!update.isMore) break;
    }
    return { isMore: false, waitMs: null, ...(wakesTurns && { wakesTurns }) };
  }

  /** What fails for no reason known, again and again, must not hold up what comes behind it. */
  private async tried(update: OpenUpdate, { count }: Attempt): Promise<boolean> {
    try {
      return await this.act(update);
    } catch (error) {
      if (error instanceof AppError || count < MOST_ATTEMPTS) throw error;
      this.parts.log.error({ update: update.id, dao_id: update.daoId, err: error }, 'an act in a chat is given up');
      return false;
    }
  }

  /** @returns whether turns are to be looked at */
  private async act(update: OpenUpdate): Promise<boolean> {
    const { body, chat, address } = update;
    switch (body.kind) {
      case 'message':
        await (body.isBeyond === true
          ? this.parts.small.say(update, beyondWords(update, body.text))
          : this.stop(update));
        return false;
      case 'edit':
        return this.change(update, body.text);
      case 'button':
        return this.press(update, body);
      case 'reaction':
        await this.say(update, await this.parts.presses.react(update, body.marks));
        return false;
      case 'presence':
        await this.parts.chats.setPresence(chat, body.state === 'here');
        return body.state === 'here';
      case 'moved':
        await this.parts.chats.move(address, body.to);
        return false;
    }
  }

  private async stop(update: OpenUpdate): Promise<void> {
    const { count, requestIds } = await this.parts.chats.stopBefore(update);
    await Promise.all(requestIds.map((id) => this.cancel(id, update.actor)));
    // Whoever does it again finds nothing any more that could be stopped, and cannot tell.
    const says = await this.parts.presses.stopped(update, update.isAgain ? Math.max(count, 1) : count);
    await this.say(update, says);
  }

  private async change(update: OpenUpdate, text: string): Promise<boolean> {
    const changed = await this.parts.chats.changeText(update, text);
    if (!changed) return false;
    if (changed.requestId !== null) await this.cancel(changed.requestId, update.actor);
    return true;
  }

  /** @returns whether turns are to be looked at */
  private async press(update: OpenUpdate, { press, data }: { press: string; data: string }): Promise<boolean> {
    const { told, shows, says, wakesTurns = false } = await this.parts.presses.press(update, data);
    // The platform forgets a press after some seconds; what it was for is done.
    await this.parts.messengers[update.address.source]?.heard(press, told).catch((error: unknown) => {
      this.parts.log.debug({ update: update.id, err: error }, 'a press was not confirmed');
    });
    if (shows) await this.parts.small.change(update, shows);
    await this.say(update, says);
    return wakesTurns;
  }

  /** Says something beside turns, unless its person was told so much within a minute. */
  private async say(update: OpenUpdate, says: ReplyContent | undefined): Promise<void> {
    const mayBeSaid = says === undefined || (await this.parts.rate.maySayBeside(update));
    await this.parts.small.say(update, mayBeSaid ? says : undefined);
  }

  private async cancel(requestId: string, actor: string): Promise<void> {
    try {
      await this.parts.requests.cancel(BOTS_KEY, requestId, { userId: actor });
    } catch (error) {
      // It ended by itself, just now.
      if (!(error instanceof AppError) || (error.code !== 'REQUEST_ENDED' && error.code !== 'REQUEST_NOT_FOUND'))
        throw error;
    }
  }
}

/** What somebody is told in whose chat too much waits. */
const beyondWords = ({ language, speaks }: OpenUpdate, text: string): ReplyContent => ({
  body: plainText(phrasesIn(languageFor(text, language, speaks)).tooManyWaiting),
  buttons: [],
});
