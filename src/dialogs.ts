import type { Logger } from 'pino';
import type { Env } from '../config/env.js';
import { TelegramBotApi } from './adapters/telegram/telegram-bot-api.js';
import { TelegramMessenger } from './adapters/telegram/telegram-messenger.js';
import type { RepliesRepository } from './adapters/store/replies.repository.js';
import type { RequestsRepository } from './adapters/store/requests.repository.js';
import type { Wording } from './contracts/conversation.js';
import type { SharedState } from './contracts/shared-state.js';
import type { Messenger, Source } from './contracts/messenger.js';
import { commandMenus } from './domain/dialog/menus.js';
import { splitRich } from './domain/rich-text/split.js';
import { entitiesOf } from './domain/rich-text/telegram.js';
import { TelegramIntake } from './bots/telegram/intake.js';
import { TelegramBot, type TelegramMode } from './bots/telegram/telegram-bot.js';
import { secretFrom } from './bots/telegram/webhook-secret.js';
import type { AccessService } from './services/access.service.js';
import type { Cancels } from './services/cancels.js';
import type { Crewing } from './services/crewing.js';
import { ActsService } from './services/dialogs/acts.service.js';
import { DialogsService, type DialogClock } from './services/dialogs/dialogs.service.js';
import { SmallReplies } from './services/dialogs/small-replies.js';
import { talkingOf, type TalkingParts } from './services/dialogs/talking.js';
import { TurnsService } from './services/dialogs/turns.service.js';
import { Lease } from './services/leases.js';
import type { OutcomesService } from './services/outcomes.service.js';
import type { People } from './services/people.js';
import type { RequestsService } from './services/requests.service.js';
import type { SubmissionsService } from './services/submissions.service.js';
import type { Voting } from './services/voting.js';

export interface DialogsParts {
  env: Env;
  log: Logger;
  shared: SharedState;
  clock: DialogClock;
  defaultDao: () => string | undefined;
  services: DialogsServices;
  /** Which words mean commands. */
  wording: Wording;
}

/** What dialogs ask for, as the process has it. */
export interface DialogsServices {
  repositories: TalkingParts['repositories'] & { replies: RepliesRepository; requests: RequestsRepository };
  access: AccessService;
  cancels: Cancels;
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

/** Dialogs of a process: what bots take in, and what is done about it. */
export interface Dialogs {
  door: DialogsService;
  turns: TurnsService;
  acts: ActsService;
  /** Undefined: there is no bot. */
  telegram: TelegramDoor | undefined;
}

/** Wires them. Platforms without a token are off. */
export function dialogsOf(parts: DialogsParts): Dialogs {
  const { log, clock, defaultDao, services, wording } = parts;
  const { repositories, outcomes, requests, cancels } = services;
  const { chats, inbox, replies } = repositories;
  const door = new DialogsService(inbox, clock, log);
  const telegram = telegramOf(parts, door);
  const messengers: Partial<Record<Source, Messenger>> = telegram ? { tg: telegram.messenger } : {};
  const { access, submissions, crewing, people, voting } = services;
  const { conversation, presses } = talkingOf({
    ...{ repositories, access, requests, submissions, runs: crewing.runs, wording },
    ...{ changes: people.changes, invitations: people.invitations, proposals: voting.proposals, votes: voting.votes },
  });
  const turns = new TurnsService({
    ...{ inbox, replies, requests: repositories.requests, accepted: requests, cancels, outcomes },
    ...{ conversation, messengers, defaultDao, log },
  });
  const small = new SmallReplies({ replies, messengers, log });
  const acts = new ActsService({ inbox, chats, requests, presses, small, messengers, defaultDao, log });
  return { door, turns, acts, telegram: telegram?.door };
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
  const bot = new TelegramBot({ account, intake, lease, menus: commandMenus(), log });
  const secret = env.TELEGRAM_WEBHOOK_SECRET ?? secretFrom(token);
  const mode = modeOf(env, secret);
  return { door: { bot, intake, mode, secret: mode.kind === 'webhook' ? secret : undefined }, messenger };
}

/** By webhook where the platform can reach us, unless it is said otherwise. */
function modeOf({ TELEGRAM_MODE: wanted, PUBLIC_URL: publicUrl }: Env, secret: string): TelegramMode {
  return publicUrl !== undefined && wanted !== 'polling' ? { kind: 'webhook', publicUrl, secret } : { kind: 'polling' };
}
