import type { RouteSubmission } from '../../contracts/request.js';
import { plainText } from '../../contracts/rich-text.js';
import { commandOf } from '../../domain/dialog/command.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import type { SubmissionsService } from '../submissions.service.js';
import { v7 as uuid } from 'uuid';
import type { OpenUpdate } from '../../contracts/dialog.js';
import type { Presses } from './acts.service.js';
import { BOTS_KEY, type Conversation, type Opened, type Turn } from './turns.service.js';

/** The name of the door in idempotency keys. */
const ROUTE = 'dialog';
/** Who waits in a chat waits behind whoever waits for an answer of the API. */
const SOURCES = { tg: 'telegram', dc: 'discord' } as const;

export interface ConversationParts {
  submissions: SubmissionsService;
}

/** What a message in a chat means, and what is made of it. */
export class ConversationService implements Conversation, Presses {
  constructor(private readonly parts: ConversationParts) {}

  async open(turn: Turn): Promise<Opened> {
    const command = commandOf(turn.text);
    if (turn.text.trim() === '')
      return { content: { body: plainText(phrasesIn(turn.language).onlyText), buttons: [] } };
    return { accepted: await this.ask(turn, command === undefined ? turn.text : turn.text) };
  }

  press(_update: OpenUpdate, _data: string): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  react(_update: OpenUpdate, _marks: readonly string[]): Promise<void> {
    return Promise.resolve();
  }

  /** A question to a model, as `POST /route` would be asked. Asked again it is the same one. */
  private ask({ update, daoId }: Turn, prompt: string): ReturnType<SubmissionsService['submit']> {
    const source = SOURCES[update.address.source];
    const submission: RouteSubmission = {
      ...{ prompt, mode: 'chat', agent: undefined, daoId, userId: update.actor, sessionId: undefined },
      ...{ source, metadata: { source }, chat: update.chat },
    };
    return this.parts.submissions.submit(BOTS_KEY, submission, {
      requestId: uuid(),
      route: ROUTE,
      idempotencyKey: `${update.id}.${update.revision}`,
      receivedAt: new Date(),
    });
  }
}
