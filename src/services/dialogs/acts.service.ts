import type { Logger } from 'pino';
import type { ChatAddress, DialogStep, Lane, OpenUpdate, ReplyContent } from '../../contracts/dialog.js';
import type { Messenger, Source } from '../../contracts/messenger.js';
import { plainText } from '../../contracts/rich-text.js';
import type { ChatsRepository } from '../../adapters/store/chats.repository.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import { commandOf } from '../../domain/dialog/command.js';
import { languageFor } from '../../domain/dialog/language.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import { AppError } from '../../errors/app-error.js';
import type { RequestsService } from '../requests.service.js';
import type { MessageRate } from './message-rate.js';
import { stopRequest } from './stop-request.js';
import { MOST_ATTEMPTS, type Attempt, type Pressed, type Presses } from './turn.js';

export interface ActsParts {
  inbox: InboxRepository;
  chats: ChatsRepository;
  requests: Pick<RequestsService, 'cancel'>;
  presses: Presses;
  rate: Pick<MessageRate, 'maySayBeside'>;
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  defaultDao: () => string | undefined;
  log: Logger;
}

/**
 * What is done at once, beside what is being answered. Nothing here waits for a platform: what is to be shown of an act is
 * left to another lane of its chat.
 */
export class ActsService {
  constructor(private readonly parts: ActsParts) {}

  /**
   * Does all that is to be done in a chat, one after the other. What fails behind others is the first of the next look, so
   * that its tries are counted, and its pauses made, for it alone.
   * @throws AppError of what is away
   */
  async doActs(address: ChatAddress, { count }: Attempt): Promise<DialogStep> {
    const woken = new Set<Lane>();
    const step = (isMore: boolean): DialogStep => ({
      ...{ isMore, waitMs: null },
      ...(woken.size > 0 && { wakes: [...woken] }),
    });
    for (let isFirst = true; ; isFirst = false) {
      try {
        const update = await this.parts.inbox.next(address, 'act', this.parts.defaultDao());
        if (!update) return step(false);
        (await this.end(update, await this.tried(update, isFirst ? count : 1))).forEach((lane) => woken.add(lane));
        if (!update.isMore) return step(false);
      } catch (error) {
        if (isFirst) throw error;
        return step(true);
      }
    }
  }

  /** What fails for no reason known, again and again, must not hold up what comes behind it. */
  private async tried(update: OpenUpdate, count: number): Promise<Pressed> {
    try {
      return await this.act(update);
    } catch (error) {
      if (error instanceof AppError || count < MOST_ATTEMPTS) throw error;
      this.parts.log.error({ update: update.id, dao_id: update.daoId, err: error }, 'an act in a chat is given up');
      return {};
    }
  }

  /**
   * Ends an act that is done. Whoever pressed is told after that, so that they are told once; nobody waits for it.
   * @returns lanes that are to be looked at
   */
  private async end(update: OpenUpdate, { shows, says, told, wakesTurns }: Pressed): Promise<readonly Lane[]> {
    const { id, body, address } = update;
    const beside = await this.bounded(update, says);
    const isLeft = shows !== undefined || beside !== undefined;
    await (isLeft ? this.parts.inbox.leave(id, { shows, says: beside }) : this.parts.inbox.finish(id));
    // The platform forgets a press after some seconds; what it was for is done.
    if (body.kind === 'button') {
      this.parts.messengers[address.source]?.heard(body.press, told).catch((error: unknown) => {
        this.parts.log.debug({ update: id, err: error }, 'a press was not confirmed');
      });
    }
    return [...(wakesTurns === true ? ['turn' as const] : []), ...(isLeft ? ['say' as const] : [])];
  }

  /** What is said beside turns, unless its person was told so much within a minute. */
  private async bounded(update: OpenUpdate, says: ReplyContent | undefined): Promise<ReplyContent | undefined> {
    return says && (await this.parts.rate.maySayBeside(update)) ? says : undefined;
  }

  private async act(update: OpenUpdate): Promise<Pressed> {
    const { body, chat, address } = update;
    switch (body.kind) {
      case 'message':
        return { says: body.isBeyond === true ? words(update, body.text, 'tooManyWaiting') : await this.stop(update) };
      case 'edit':
        // Whoever makes a /stop of what they wrote wants no answer to it, nor to what was before it.
        return commandOf(body.text)?.name === 'stop'
          ? { says: await this.stop(update) }
          : this.change(update, body.text);
      case 'button':
        return this.parts.presses.press(update, body.data);
      case 'reaction':
        return { says: await this.parts.presses.react(update, body.marks) };
      case 'presence':
        await this.parts.chats.setPresence(chat, body.state === 'here');
        return { wakesTurns: body.state === 'here' };
      case 'moved':
        await this.parts.chats.move(address, body.to);
        return {};
    }
  }

  private async stop(update: OpenUpdate): Promise<ReplyContent | undefined> {
    const { count, requestIds } = await this.parts.chats.stopBefore(update);
    await Promise.all(requestIds.map((id) => stopRequest(this.parts.requests, id, update.actor)));
    // Whoever does it again finds nothing any more that could be stopped, and cannot tell.
    return this.parts.presses.stopped(update, update.isAgain ? Math.max(count, 1) : count);
  }

  private async change(update: OpenUpdate, text: string): Promise<Pressed> {
    const changed = await this.parts.chats.changeText(update, text);
    if (!changed) return {};
    if (changed === 'done') return { says: words(update, text, 'sendAgain') };
    if (changed.requestId !== null) await stopRequest(this.parts.requests, changed.requestId, update.actor);
    return { wakesTurns: true };
  }
}

/** What somebody is told in the language of what they wrote. */
const words = ({ language, speaks }: OpenUpdate, text: string, name: 'tooManyWaiting' | 'sendAgain'): ReplyContent => ({
  body: plainText(phrasesIn(languageFor(text, language, speaks))[name]),
  buttons: [],
});
