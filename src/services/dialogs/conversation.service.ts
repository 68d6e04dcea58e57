import { v7 as uuid } from 'uuid';
import { GUEST_ROLE } from '../../contracts/access.js';
import type { Asks } from '../../contracts/conversation.js';
import type { ReplyContent } from '../../contracts/dialog.js';
import type { PendingRepository } from '../../adapters/store/pending.repository.js';
import { commandOf } from '../../domain/dialog/command.js';
import type { IntentMatcher } from '../../domain/dialog/intents.js';
import type { AppError } from '../../errors/app-error.js';
import type { GatePresses } from '../news/gate-presses.js';
import type { SubmissionsService } from '../submissions.service.js';
import { numberIn, phrasesFor, said } from './commands/asked.js';
import type { CommandsService } from './commands/commands.service.js';
import { submitFor } from './commands/crew-commands.js';
import type { FeedbackTalk } from './commands/feedback-talk.js';
import { helpFor } from './commands/help-commands.js';
import type { ProposalCommands } from './commands/proposal-commands.js';
import type { Refusals } from './commands/refusals.js';
import { isRefusal, type Conversation, type Opened, type Turn } from './turn.js';

export interface ConversationParts {
  submissions: Pick<SubmissionsService, 'submit'>;
  commands: Pick<CommandsService, 'run' | 'follow' | 'asked'>;
  /** Commands that words mean. */
  intentOf: IntentMatcher;
  pending: Pick<PendingRepository, 'take' | 'setAside'>;
  proposals: Pick<ProposalCommands, 'propose' | 'draft'>;
  feedback: Pick<FeedbackTalk, 'explained'>;
  gates: Pick<GatePresses, 'answered'>;
  refusals: Pick<Refusals, 'told'>;
}

/** Words that take back what somebody was asked. */
const NEVER_MIND = /^(?:cancel|never ?mind|skip|скасувати|скасуй|відміна|відмінити|облиш(?:мо)?|не треба)[.!]?$/iu;

/** Whoever is asked for a number and writes none has something else to say. */
const isAnswer = ({ kind }: Asks, text: string): boolean =>
  kind !== 'which' || numberIn(text) !== undefined || NEVER_MIND.test(text.trim());

/** Whether a message may be what its author was asked for: they are waited for, or reply to something. */
const mayAnswer = ({ isAsked, body }: Turn['update']): boolean =>
  isAsked || (body.kind === 'message' && body.replyTo !== undefined);

/** What a message in a chat means, and what is made of it. */
export class ConversationService implements Conversation {
  constructor(private readonly parts: ConversationParts) {}

  async open(turn: Turn): Promise<Opened> {
    const requestId = uuid();
    try {
      const made = await this.meant(turn, requestId);
      return made && 'body' in made ? { content: made } : made;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { content: await this.refused(turn, error, requestId) };
    }
  }

  /** A command, an answer to what was asked, words that mean a command; else a question to a model. */
  private async meant(turn: Turn, requestId: string): Promise<ReplyContent | Opened> {
    const { text, update, daoId } = turn;
    const { body } = update;
    if (text.trim() === '') return said(phrasesFor(turn).onlyText);
    if (body.kind === 'message' && body.isQuestion === true) return this.ask(turn, requestId);
    const command = commandOf(text);
    if (command) {
      // Whoever says something else does not answer any more.
      if (update.isAsked) await this.parts.pending.setAside(update, daoId);
      return this.parts.commands.run(turn, command);
    }
    const asks = mayAnswer(update) ? await this.parts.pending.take(update, daoId) : undefined;
    if (asks === 'over') return said(phrasesFor(turn).questionOver);
    if (asks && isAnswer(asks, text)) return this.answered(turn, asks);
    const intent = this.parts.intentOf(text);
    return intent ? this.parts.commands.follow(turn, intent) : this.ask(turn, requestId);
  }

  private async answered(turn: Turn, asks: Asks): Promise<ReplyContent | undefined> {
    const phrases = phrasesFor(turn);
    if (NEVER_MIND.test(turn.text.trim())) return said(phrases.questionDropped);
    switch (asks.kind) {
      case 'title':
        return this.parts.proposals.propose(await this.parts.commands.asked(turn, turn.text));
      case 'text':
        return this.parts.proposals.draft(await this.parts.commands.asked(turn), asks.title, turn.text);
      case 'which':
        return this.parts.commands.run(turn, { name: asks.command, args: turn.text.trim() });
      case 'complaint':
        return this.parts.feedback.explained(turn, asks.requestId, phrases);
      case 'gate':
        return said(await this.parts.gates.answered(turn, turn.text, asks));
    }
  }

  /** A question to a model, as `POST /route` would be asked. */
  private async ask(turn: Turn, requestId: string): Promise<Opened> {
    const asked = { prompt: turn.text, mode: 'chat', metadata: {} } as const;
    return { accepted: await submitFor(this.parts.submissions, turn, { ...asked }, requestId) };
  }

  /** What somebody is told who was refused. A guest who writes in plain words hears what a guest can do. */
  private async refused(turn: Turn, error: AppError, requestId: string): Promise<ReplyContent> {
    const told = await this.parts.refusals.told(turn, error, requestId);
    if (error.code !== 'RBAC_PERMISSION_DENIED' || commandOf(turn.text)) return told;
    const asked = await this.parts.commands.asked(turn);
    if (!asked.acting.rights.roles.includes(GUEST_ROLE)) return told;
    return { ...helpFor(asked), ...(told.refused && { refused: told.refused }) };
  }
}
