import type { Logger } from 'pino';
import type { Env } from '../config/env.js';
import type { LoadedConfig } from '../config/loader.js';
import { Pace } from './adapters/telegram/pace.js';
import { DiscordMessenger } from './adapters/discord/discord-messenger.js';
import { DiscordRest } from './adapters/discord/discord-rest.js';
import { InteractionTokens } from './adapters/discord/interaction-tokens.js';
import { findTokenSeal } from './adapters/discord/token-seal.js';
import { TelegramBotApi } from './adapters/telegram/telegram-bot-api.js';
import { TelegramMessenger } from './adapters/telegram/telegram-messenger.js';
import type { RequestCounter } from './adapters/limits/request-counter.js';
import type { MemoryRepository } from './adapters/store/memory.repository.js';
import type { InteractionsRepository } from './adapters/store/interactions.repository.js';
import type { RepliesRepository } from './adapters/store/replies.repository.js';
import type { RequestsRepository } from './adapters/store/requests.repository.js';
import type { Wording } from './contracts/conversation.js';
import type { SharedState } from './contracts/shared-state.js';
import type { Messenger, Source } from './contracts/messenger.js';
import { commandMenus } from './domain/dialog/menus.js';
import { entitiesOf, splitForTelegram } from './domain/rich-text/telegram.js';
import { discordMarkdown, splitForDiscord } from './domain/rich-text/discord.js';
import { Acceptance } from './bots/discord/acceptance.js';
import { DiscordIntake } from './bots/discord/intake.js';
import { TelegramIntake } from './bots/telegram/intake.js';
import { TelegramBot, webhookFor, type TelegramMode } from './bots/telegram/telegram-bot.js';
import { secretFrom } from './bots/telegram/webhook-secret.js';
import type { AccessService } from './services/access.service.js';
import type { Crewing } from './services/crewing.js';
import { ActsService } from './services/dialogs/acts.service.js';
import { BotWarnings } from './services/dialogs/bot-warnings.js';
import { DialogsService } from './services/dialogs/dialogs.service.js';
import { FailedMessages } from './services/dialogs/failed-messages.js';
import { JoiningService } from './services/dialogs/joining.js';
import { MemoryService } from './services/dialogs/memory.service.js';
import { MessageRate } from './services/dialogs/message-rate.js';
import { OldDialogs } from './services/dialogs/old-dialogs.js';
import { SuggestionsService } from './services/dialogs/suggestions.service.js';
import { placeOf } from './services/dialogs/reply-of.js';
import { SmallReplies } from './services/dialogs/small-replies.js';
import { Strangers } from './services/dialogs/strangers.js';
import { StrayMessages } from './services/dialogs/stray-messages.js';
import { talkingOf, type TalkingParts } from './services/dialogs/talking.js';
import { TurnsService } from './services/dialogs/turns.service.js';
import { newsOf, type NewsRepositories, type NewsServices } from './services/news/wiring.js';
import type { NewsClock } from './services/news/news.service.js';
import { Lease } from './services/leases.js';
import type { OutcomesService } from './services/outcomes.service.js';
import type { People } from './services/people.js';
import type { Overdue } from './services/reconciler.service.js';
import type { RequestsService } from './services/requests.service.js';
import type { SubmissionsService } from './services/submissions.service.js';
import type { Voting } from './services/voting.js';

export interface DialogsParts {
  env: Env;
  log: Logger;
  shared: SharedState;
  /** Counts what people send. */
  counter: RequestCounter;
  clock: NewsClock;
  defaultDao: () => string | undefined;
  services: DialogsServices;
  /** Which words mean commands. */
  wording: Wording;
}

/** What dialogs ask for, as the process has it. */
export interface DialogsServices {
  repositories: TalkingParts['repositories'] &
    NewsRepositories & {
      interactions: InteractionsRepository;
      memory: MemoryRepository;
      replies: RepliesRepository;
      requests: RequestsRepository;
    };
  access: AccessService;
  config: { current(): LoadedConfig };
  crewing: Pick<Crewing, 'runs'>;
  outcomes: OutcomesService;
  people: Pick<People, 'changes' | 'invitations'>;
  requests: RequestsService;
  submissions: SubmissionsService;
  voting: Pick<Voting, 'proposals' | 'votes'>;
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
  small: SmallReplies;
  memory: MemoryService;
  news: NewsServices;
  warnings: BotWarnings;
  /** Undefined: there is no bot. */
  telegram: TelegramDoor | undefined;
  /** Undefined: there is no application. */
  discord: DiscordDoor | undefined;
  /** What a clock may have missed. */
  overdue: Readonly<Record<string, Overdue>>;
}

/** Wires them. Platforms without a token are off. */
export function dialogsOf(parts: DialogsParts): Dialogs {
  const { log, clock, defaultDao, services, wording } = parts;
  const { repositories, outcomes, requests } = services;
  const { chats, inbox, replies } = repositories;
  const bounds = (): LoadedConfig['profile']['bots'] => services.config.current().profile.bots;
  const door = new DialogsService(inbox, clock, () => bounds().waiting_per_chat, log);
  const telegram = telegramOf(parts, door);
  const discord = discordOf(parts, door);
  const messengers: Partial<Record<Source, Messenger>> = {
    ...(telegram && { tg: telegram.messenger }),
    ...(discord && { dc: discord.messenger }),
  };
  const { access, submissions, crewing, people, voting } = services;
  const failed = new FailedMessages({ chats, clock, log });
  const news = newsOf({ repositories, access, runs: crewing.runs, clock, failed, messengers, log });
  const { gates, preferences, deliveries } = news;
  const { conversation, presses } = talkingOf({
    ...{ repositories, access, requests, submissions, runs: crewing.runs, wording },
    ...{ gates, preferences },
    rules: async (update) => (await messengers[update.address.source]?.rules?.(placeOf(update), update.actor)) ?? true,
    ...{ changes: people.changes, invitations: people.invitations, proposals: voting.proposals, votes: voting.votes },
  });
  const historyTokens = (): number => services.config.current().profile.limits.session_tokens;
  const memory = new MemoryService({ memory: repositories.memory, access, submissions, outcomes, historyTokens, log });
  const joining = new JoiningService(inbox, () => bounds().join_within_ms);
  const perMinute = (): number => bounds().messages_per_minute;
  const rate = new MessageRate({ counter: parts.counter, answers: repositories.shownAnswers, perMinute });
  const strangers = new Strangers({ strangers: repositories.strangers, counter: parts.counter });
  const turns = new TurnsService({
    ...{ inbox, failed, replies, requests: repositories.requests, accepted: requests, outcomes },
    ...{ conversation, joining, rate, memory, strangers, messengers, defaultDao, log, news: deliveries },
  });
  const small = new SmallReplies({ inbox, replies, failed, news: deliveries, messengers, defaultDao, log });
  const acts = new ActsService({ inbox, chats, requests, presses, rate, messengers, defaultDao, log });
  const overdue = {
    ...{ dialogs: door, news: news.spreading, deliveries },
    old: new OldDialogs(repositories.oldDialogs, () => bounds().keep_days, log),
    strays: new StrayMessages({ strays: repositories.strays, messengers, log }),
    ...(discord && { interactions: discord.door.tokens }),
  };
  const hasBot = telegram !== undefined || discord !== undefined;
  const warnings = new BotWarnings({ strangers: repositories.strangers, hasBot, defaultDao, log });
  return {
    door,
    turns,
    acts,
    small,
    memory,
    news,
    warnings,
    telegram: telegram?.door,
    discord: discord?.door,
    overdue,
  };
}

function telegramOf(
  { env, log, shared, services }: DialogsParts,
  dialogs: DialogsService,
): { door: TelegramDoor; messenger: TelegramMessenger } | undefined {
  const token = env.TELEGRAM_BOT_TOKEN;
  if (token === undefined) return undefined;
  const { telegram } = services.config.current().profile.bots;
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
  const bot = new TelegramBot({ account, intake, lease, menus: commandMenus('tg'), log });
  const secret = env.TELEGRAM_WEBHOOK_SECRET ?? secretFrom(token);
  const mode = modeOf(env, secret);
  return { door: { bot, intake, mode, secret: mode.kind === 'webhook' ? secret : undefined }, messenger };
}

function discordOf(
  { env, log, services, defaultDao }: DialogsParts,
  dialogs: DialogsService,
): { door: DiscordDoor; messenger: DiscordMessenger } | undefined {
  const { DISCORD_PUBLIC_KEY: publicKey, DISCORD_BOT_TOKEN: botToken, DISCORD_API_ROOT: apiRoot } = env;
  if (publicKey === undefined) return undefined;
  const { repositories, access, voting } = services;
  const { chats, interactions } = repositories;
  const { proposals } = voting;
  const rest = new DiscordRest({ botToken, apiRoot });
  const tokens = new InteractionTokens(interactions, findTokenSeal(env));
  const format = { markdown: discordMarkdown, split: splitForDiscord };
  const messenger = new DiscordMessenger({ rest, tokens, format, log });
  const acceptance = new Acceptance(dialogs, tokens, log);
  const suggestions = new SuggestionsService({ chats, access, proposals, defaultDao });
  const intake = new DiscordIntake(acceptance, suggestions, log);
  return { door: { intake, acceptance, tokens, publicKey }, messenger };
}

function modeOf({ TELEGRAM_MODE: wanted, PUBLIC_URL: publicUrl }: Env, secret: string): TelegramMode {
  const url = webhookFor(publicUrl, wanted);
  return url === undefined ? { kind: 'polling' } : { kind: 'webhook', url, secret };
}
