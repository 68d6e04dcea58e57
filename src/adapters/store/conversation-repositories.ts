import { FeedbackRepository } from './feedback.repository.js';
import { OffersRepository } from './offers.repository.js';
import { OldDialogsRepository } from './old-dialogs.repository.js';
import { PendingRepository } from './pending.repository.js';
import { RunChatsRepository } from './run-chats.repository.js';
import { ShownAnswersRepository } from './shown-answers.repository.js';
import { StrangersRepository } from './strangers.repository.js';
import { StrayMessagesRepository } from './stray-messages.repository.js';
import type { Tenants } from './tenants.js';

/** What conversations keep beside their messages. */
export interface ConversationRepositories {
  feedback: FeedbackRepository;
  offers: OffersRepository;
  oldDialogs: OldDialogsRepository;
  pending: PendingRepository;
  runChats: RunChatsRepository;
  shownAnswers: ShownAnswersRepository;
  strangers: StrangersRepository;
  strays: StrayMessagesRepository;
}

/** The repositories of conversations over one database. */
export const conversationRepositories = (tenants: Tenants): ConversationRepositories => ({
  feedback: new FeedbackRepository(tenants),
  offers: new OffersRepository(tenants),
  oldDialogs: new OldDialogsRepository(tenants),
  pending: new PendingRepository(tenants),
  runChats: new RunChatsRepository(tenants),
  shownAnswers: new ShownAnswersRepository(tenants),
  strangers: new StrangersRepository(tenants),
  strays: new StrayMessagesRepository(tenants),
});
