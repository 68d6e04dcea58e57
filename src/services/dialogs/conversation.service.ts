import type { RouteSubmission } from '../../contracts/request.js';
import { plainText } from '../../contracts/rich-text.js';
import type { PendingRepository } from '../../adapters/store/pending.repository.js';
import { commandOf, type Command } from '../../domain/dialog/command.js';
import { languageFor } from '../../domain/dialog/language.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import { readGatePress, type GatePresses } from '../news/gate-presses.js';
import { notifyCommand } from '../news/notify-command.js';
import type { PreferencesService } from '../news/preferences.service.js';
import type { SubmissionsService } from '../submissions.service.js';
import { v7 as uuid } from 'uuid';
import type { OpenUpdate } from '../../contracts/dialog.js';
import type { Presses } from './acts.service.js';
import { BOTS_KEY } from './bots-key.js';
import type { Conversation, Opened, Turn } from './turns.service.js';

/** The name of the door in idempotency keys. */
const ROUTE = 'dialog';
/** Who waits in a chat waits behind whoever waits for an answer of the API. */
const SOURCES = { tg: 'telegram', dc: 'discord' } as const;

export interface ConversationParts {
  submissions: SubmissionsService;
  gates: Pick<GatePresses, 'press' | 'answered'>;
  pending: Pick<PendingRepository, 'take'>;
  preferences: PreferencesService;
}

/** What a message in a chat means, and what is made of it. */
export class ConversationService implements Conversation, Presses {
  constructor(private readonly parts: ConversationParts) {}

  async open(turn: Turn): Promise<Opened> {
    const command = commandOf(turn.text);
    if (turn.text.trim() === '')
      return { content: { body: plainText(phrasesIn(turn.language).onlyText), buttons: [] } };
    return (await this.said(turn, command)) ?? { accepted: await this.ask(turn, turn.text) };
  }

  async press(update: OpenUpdate, data: string): Promise<string | undefined> {
    const press = readGatePress(data);
    const { daoId } = update;
    if (!press || daoId === null) return undefined;
    const language = update.speaks ?? languageFor('', update.language);
    return this.parts.gates.press({ update, daoId, language }, press);
  }

  react(_update: OpenUpdate, _marks: readonly string[]): Promise<void> {
    return Promise.resolve();
  }

  /** What a command says, or an answer to what was asked; undefined: it is neither. */
  private async said(turn: Turn, command: Command | undefined): Promise<Opened> {
    const { update, daoId, language } = turn;
    if (command?.name === 'notify') {
      const asked = { daoId, userId: update.actor, language, args: command.args };
      return { content: await notifyCommand(this.parts.preferences, asked) };
    }
    const asks = command ? undefined : await this.parts.pending.take(update, daoId);
    if (asks?.kind !== 'gate') return undefined;
    const told = await this.parts.gates.answered(turn, turn.text, asks);
    return { content: { body: plainText(told), buttons: [] } };
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
