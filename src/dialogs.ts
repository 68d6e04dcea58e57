import type { Logger } from 'pino';
import type { Env } from '../config/env.js';
import { DiscordMessenger } from './adapters/discord/discord-messenger.js';
import { DiscordRest } from './adapters/discord/discord-rest.js';
import { InteractionTokens } from './adapters/discord/interaction-tokens.js';
import { findTokenSeal } from './adapters/discord/token-seal.js';
import { TelegramBotApi } from './adapters/telegram/telegram-bot-api.js';
import { TelegramMessenger } from './adapters/telegram/telegram-messenger.js';
import type { ChatsRepository } from './adapters/store/chats.repository.js';
import type { InboxRepository } from './adapters/store/inbox.repository.js';
import type { InteractionsRepository } from './adapters/store/interactions.repository.js';
import type { RepliesRepository } from './adapters/store/replies.repository.js';
import type { RequestsRepository } from './adapters/store/requests.repository.js';
import type { SharedState } from './contracts/shared-state.js';
import type { Messenger, Source } from './contracts/messenger.js';
import { discordMarkdown, splitForDiscord } from './domain/rich-text/discord.js';
import { splitRich } from './domain/rich-text/split.js';
import { entitiesOf } from './domain/rich-text/telegram.js';
import { Acceptance } from './bots/discord/acceptance.js';
import { DiscordIntake } from './bots/discord/intake.js';
import { TelegramIntake } from './bots/telegram/intake.js';
import { TelegramBot, type TelegramMode } from './bots/telegram/telegram-bot.js';
import { secretFrom } from './bots/telegram/webhook-secret.js';
import type { AccessService } from './services/access.service.js';
import type { Cancels } from './services/cancels.js';
import { ActsService } from './services/dialogs/acts.service.js';
import { ConversationService } from './services/dialogs/conversation.service.js';
import { DialogsService, type DialogClock } from './services/dialogs/dialogs.service.js';
import { SuggestionsService } from './services/dialogs/suggestions.service.js';
import { TurnsService } from './services/dialogs/turns.service.js';
import { Lease } from './services/leases.js';
import type { OutcomesService } from './services/outcomes.service.js';
import type { ProposalsService } from './services/proposals.service.js';
import type { Overdue } from './services/reconciler.service.js';
import type { RequestsService } from './services/requests.service.js';
import type { SubmissionsService } from './services/submissions.service.js';

export interface DialogsParts {
  env: Env;
  log: Logger;
  shared: SharedState;
  clock: DialogClock;
  repositories: {
    chats: ChatsRepository;
    inbox: InboxRepository;
    interactions: InteractionsRepository;
    replies: RepliesRepository;
    requests: RequestsRepository;
  };
  access: AccessService;
  outcomes: OutcomesService;
  proposals: ProposalsService;
  requests: RequestsService;
  submissions: SubmissionsService;
  cancels: Cancels;
  defaultDao: () => string | undefined;
}

/** A bot of a process, and how its platform proves that it is calling. */
export interface TelegramDoor {
  bot: TelegramBot;
  intake: TelegramIntake;
  mode: TelegramMode;
  /** Undefined where updates are fetched. */
  secret: string | undefined;
}

/** Where Discord calls a process, and how it proves that it does. */
export interface DiscordDoor {
  intake: DiscordIntake;
  acceptance: Acceptance;
  tokens: InteractionTokens;
  publicKey: string;
}

/** Dialogs of a process: what bots take in, and what is done about it. */
export interface Dialogs {
  door: DialogsService;
  turns: TurnsService;
  acts: ActsService;
  /** Undefined: there is no bot. */
  telegram: TelegramDoor | undefined;
  /** Undefined: there is no application. */
  discord: DiscordDoor | undefined;
  /** What a clock may have missed. */
  overdue: Readonly<Record<string, Overdue>>;
}

/** Wires them. Platforms without a token are off. */
export function dialogsOf(parts: DialogsParts): Dialogs {
  const { log, clock, repositories, defaultDao, outcomes, requests, cancels } = parts;
  const { chats, inbox, replies } = repositories;
  const door = new DialogsService(inbox, clock, log);
  const telegram = telegramOf(parts, door);
  const discord = discordOf(parts, door);
  const messengers: Partial<Record<Source, Messenger>> = {
    ...(telegram && { tg: telegram.messenger }),
    ...(discord && { dc: discord.messenger }),
  };
  const conversation = new ConversationService({ submissions: parts.submissions });
  const turns = new TurnsService({
    ...{ inbox, replies, requests: repositories.requests, accepted: requests, cancels, outcomes },
    ...{ conversation, messengers, defaultDao, log },
  });
  const acts = new ActsService({ inbox, chats, requests, presses: conversation, messengers, defaultDao, log });
  const overdue = { dialogs: door, ...(discord && { interactions: discord.door.tokens }) };
  return { door, turns, acts, telegram: telegram?.door, discord: discord?.door, overdue };
}

function telegramOf(
  { env, log, shared }: DialogsParts,
  dialogs: DialogsService,
): { door: TelegramDoor; messenger: TelegramMessenger } | undefined {
  const token = env.TELEGRAM_BOT_TOKEN;
  if (token === undefined) return undefined;
  const account = new TelegramBotApi(token, { apiRoot: env.TELEGRAM_API_ROOT });
  const messenger = new TelegramMessenger(account, { entitiesOf, split: splitRich });
  const intake = new TelegramIntake(dialogs, log);
  const lease = new Lease(shared, 'bots/telegram');
  const bot = new TelegramBot({ account, intake, lease, menus: [], log });
  const secret = env.TELEGRAM_WEBHOOK_SECRET ?? secretFrom(token);
  const mode = modeOf(env, secret);
  return { door: { bot, intake, mode, secret: mode.kind === 'webhook' ? secret : undefined }, messenger };
}

function discordOf(
  { env, log, repositories: { chats, interactions }, access, proposals, defaultDao }: DialogsParts,
  dialogs: DialogsService,
): { door: DiscordDoor; messenger: DiscordMessenger } | undefined {
  const { DISCORD_PUBLIC_KEY: publicKey, DISCORD_BOT_TOKEN: botToken, DISCORD_API_ROOT: apiRoot } = env;
  if (publicKey === undefined) return undefined;
  const rest = new DiscordRest({ botToken, apiRoot });
  const tokens = new InteractionTokens(interactions, findTokenSeal(env));
  const format = { markdown: discordMarkdown, split: splitForDiscord };
  const messenger = new DiscordMessenger({ rest, tokens, format, log });
  const acceptance = new Acceptance(dialogs, tokens, log);
  const suggestions = new SuggestionsService({ chats, access, proposals, defaultDao });
  const intake = new DiscordIntake(acceptance, suggestions, log);
  return { door: { intake, acceptance, tokens, publicKey }, messenger };
}

/** By webhook where the platform can reach us, unless it is said otherwise. */
function modeOf({ TELEGRAM_MODE: wanted, PUBLIC_URL: publicUrl }: Env, secret: string): TelegramMode {
  return publicUrl !== undefined && wanted !== 'polling' ? { kind: 'webhook', publicUrl, secret } : { kind: 'polling' };
}
