import type { Logger } from 'pino';
import type { Env } from '../config/env.js';
import type { LoadedConfig } from '../config/loader.js';
import { Pace } from './adapters/telegram/pace.js';
import { TelegramBotApi } from './adapters/telegram/telegram-bot-api.js';
import { TelegramMessenger } from './adapters/telegram/telegram-messenger.js';
import type { ChatsRepository } from './adapters/store/chats.repository.js';
import type { InboxRepository } from './adapters/store/inbox.repository.js';
import type { MemoryRepository } from './adapters/store/memory.repository.js';
import type { RepliesRepository } from './adapters/store/replies.repository.js';
import type { RequestsRepository } from './adapters/store/requests.repository.js';
import type { SharedState } from './contracts/shared-state.js';
import type { Messenger, Source } from './contracts/messenger.js';
import { entitiesOf, splitForTelegram } from './domain/rich-text/telegram.js';
import { TelegramIntake } from './bots/telegram/intake.js';
import { TelegramBot, type TelegramMode } from './bots/telegram/telegram-bot.js';
import { secretFrom } from './bots/telegram/webhook-secret.js';
import type { Cancels } from './services/cancels.js';
import { ActsService } from './services/dialogs/acts.service.js';
import { ConversationService } from './services/dialogs/conversation.service.js';
import { DialogsService } from './services/dialogs/dialogs.service.js';
import { MemoryService } from './services/dialogs/memory.service.js';
import { TurnsService } from './services/dialogs/turns.service.js';
import { newsOf, type NewsRepositories, type NewsServices } from './services/news/wiring.js';
import type { NewsClock } from './services/news/news.service.js';
import type { AccessService } from './services/access.service.js';
import type { CrewRunsService } from './services/crew-runs.service.js';
import { Lease } from './services/leases.js';
import type { OutcomesService } from './services/outcomes.service.js';
import type { RequestsService } from './services/requests.service.js';
import type { SubmissionsService } from './services/submissions.service.js';

export interface DialogsParts {
  env: Env;
  log: Logger;
  shared: SharedState;
  clock: NewsClock;
  repositories: {
    chats: ChatsRepository;
    inbox: InboxRepository;
    memory: MemoryRepository;
    replies: RepliesRepository;
    requests: RequestsRepository;
  } & NewsRepositories;
  access: AccessService;
  runs: CrewRunsService;
  outcomes: OutcomesService;
  requests: RequestsService;
  submissions: SubmissionsService;
  cancels: Cancels;
  defaultDao: () => string | undefined;
  historyTokens: () => number;
  /** How bots write, as the profile says. */
  pace: LoadedConfig['profile']['bots'];
}

/** A bot of a process, and how its platform proves that it is calling. */
export interface TelegramDoor {
  bot: TelegramBot;
  intake: TelegramIntake;
  mode: TelegramMode;
  /** Undefined where updates are fetched. */
  secret: string | undefined;
}

/** Dialogs of a process: what bots take in, and what is done about it. */
export interface Dialogs {
  door: DialogsService;
  turns: TurnsService;
  acts: ActsService;
  memory: MemoryService;
  news: NewsServices;
  /** Undefined: there is no bot. */
  telegram: TelegramDoor | undefined;
}

/** Wires them. Platforms without a token are off. */
export function dialogsOf(parts: DialogsParts): Dialogs {
  const { log, clock, repositories, defaultDao, outcomes, requests, cancels } = parts;
  const { chats, inbox, replies } = repositories;
  const door = new DialogsService(inbox, clock, log);
  const telegram = telegramOf(parts, door);
  const messengers: Partial<Record<Source, Messenger>> = telegram ? { tg: telegram.messenger } : {};
  const { access, runs } = parts;
  const news = newsOf({ repositories, access, runs, clock, messengers, log });
  const { gates, preferences, deliveries } = news;
  const { pending } = repositories;
  const conversation = new ConversationService({ submissions: parts.submissions, gates, pending, preferences });
  const { submissions, historyTokens } = parts;
  const memory = new MemoryService({ memory: repositories.memory, submissions, outcomes, historyTokens, log });
  const turns = new TurnsService({
    ...{ inbox, chats, clock, replies, requests: repositories.requests, accepted: requests, cancels, outcomes },
    ...{ conversation, memory, messengers, defaultDao, log, news: deliveries },
  });
  const acts = new ActsService({ inbox, chats, requests, presses: conversation, messengers, defaultDao, log });
  return { door, turns, acts, memory, news, telegram: telegram?.door };
}

function telegramOf(
  { env, log, shared, pace: { telegram } }: DialogsParts,
  dialogs: DialogsService,
): { door: TelegramDoor; messenger: TelegramMessenger } | undefined {
  const token = env.TELEGRAM_BOT_TOKEN;
  if (token === undefined) return undefined;
  const pace = new Pace({
    perSecond: telegram.calls_per_second,
    buckets: {
      private: { everyMs: telegram.chat_interval_ms, more: 1 },
      group: { everyMs: telegram.group_interval_ms, more: 2 },
    },
  });
  const root = env.TELEGRAM_API_ROOT;
  const account = new TelegramBotApi({ token, pace, ...(root !== undefined && { apiRoot: root }) });
  const messenger = new TelegramMessenger(account, { entitiesOf, split: splitForTelegram });
  const intake = new TelegramIntake(dialogs, log);
  const lease = new Lease(shared, 'bots/telegram');
  const bot = new TelegramBot({ account, intake, lease, menus: [], log });
  const secret = env.TELEGRAM_WEBHOOK_SECRET ?? secretFrom(token);
  const mode = modeOf(env, secret);
  return { door: { bot, intake, mode, secret: mode.kind === 'webhook' ? secret : undefined }, messenger };
}

/** By webhook where the platform can reach us, unless it is said otherwise. */
function modeOf({ TELEGRAM_MODE: wanted, PUBLIC_URL: publicUrl }: Env, secret: string): TelegramMode {
  return publicUrl !== undefined && wanted !== 'polling' ? { kind: 'webhook', publicUrl, secret } : { kind: 'polling' };
}
