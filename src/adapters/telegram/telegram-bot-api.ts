import { Api, type RawApi } from 'grammy';
import type { LanguageCode } from 'grammy/types';
import { z } from 'zod';
import { DeliveryError } from '../../errors/delivery-error.js';
import { Pace, type Turn } from './pace.js';
import { translateTelegramError } from './translate.js';

/** Kinds of updates that we ask for. Reactions come only to who asks. */
const ALLOWED_UPDATES = ['message', 'edited_message', 'callback_query', 'message_reaction', 'my_chat_member'] as const;

const CALL_MS = 10_000;
/** How long a poll waits for an update, in seconds. */
const POLL_SECONDS = 25;

/** How to reach the Bot API. */
export interface TelegramBotApiOptions {
  token: string;
  /** Of another server of the Bot API. */
  apiRoot?: string;
  /** Longest time of one call, in milliseconds. */
  callMs?: number;
  pollSeconds?: number;
  pace?: Pace;
}

/** A command as the platform lists it. */
export interface ListedCommand {
  /** Without its slash. */
  command: string;
  description: string;
}

/** What the platform says of the webhook. */
export interface WebhookState {
  /** Undefined: there is none. */
  url: string | undefined;
  /** How many updates wait to be taken. */
  pending: number;
  /** The last time that one could not be handed over. */
  lastError: { at: Date; message: string } | undefined;
}

const WebhookInfo = z.object({
  url: z.string(),
  pending_update_count: z.int(),
  last_error_date: z.int().optional(),
  last_error_message: z.string().optional(),
});
const BotUser = z.object({ id: z.int(), username: z.string() });

/** What grammY takes for a signal is an older class; a signal of Node's does all that it asks of one. */
type Signal = NonNullable<Parameters<RawApi['getMe']>[0]>;

/**
 * The Bot API for one bot: each call once, at its pace, within its time, and what fails as `DeliveryError`. What is asked
 * of the platform again is for whoever called.
 */
export class TelegramBotApi {
  // Not private to the compiler only: whoever prints this object, or puts it into a log, sees nothing of the token.
  readonly #api: Api;
  readonly #token: string;
  private readonly callMs: number;
  private readonly pollSeconds: number;
  private readonly pace: Pace;

  constructor(options: TelegramBotApiOptions) {
    const { token, apiRoot, callMs = CALL_MS, pollSeconds = POLL_SECONDS, pace = new Pace() } = options;
    this.#api = new Api(token, apiRoot === undefined ? {} : { apiRoot: apiRoot.replace(/\/+$/, '') });
    this.#token = token;
    this.callMs = callMs;
    this.pollSeconds = pollSeconds;
    this.pace = pace;
  }

  /** @returns id and name of the bot */
  async getMe(): Promise<{ id: string; username: string }> {
    const user = await this.call('getMe', {}, (raw, signal) => raw.getMe(signal));
    const { id, username } = expected('getMe', BotUser, user);
    return { id: String(id), username };
  }

  /**
   * Waits for updates.
   * @param offset all below it are confirmed, and gone; undefined: none
   * @returns updates as they came: whoever takes them checks them
   * @throws the reason of the signal, if it was aborted
   */
  async getUpdates(offset: number | undefined, signal: AbortSignal): Promise<readonly unknown[]> {
    const asked = {
      timeout: this.pollSeconds,
      allowed_updates: ALLOWED_UPDATES,
      ...(offset !== undefined && { offset }),
    };
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.pollSeconds * 1_000 + this.callMs)]);
    try {
      return await this.#api.raw.getUpdates(asked, within as unknown as Signal);
    } catch (error) {
      signal.throwIfAborted();
      throw this.translated(error, 'getUpdates');
    }
  }

  /** @param secret comes with every update, in its header */
  async setWebhook(url: string, secret: string): Promise<void> {
    const hook = { url, secret_token: secret, allowed_updates: ALLOWED_UPDATES };
    await this.call('setWebhook', {}, (raw, signal) => raw.setWebhook(hook, signal));
  }

  /** Updates that wait go on waiting. */
  async deleteWebhook(): Promise<void> {
    await this.call('deleteWebhook', {}, (raw, signal) => raw.deleteWebhook({}, signal));
  }

  /** How the webhook stands. */
  async getWebhook(): Promise<WebhookState> {
    const answer = await this.call('getWebhookInfo', {}, (raw, signal) => raw.getWebhookInfo(signal));
    const info = expected('getWebhookInfo', WebhookInfo, answer);
    const { url, pending_update_count: pending, last_error_date: at, last_error_message: message = 'no reason' } = info;
    return {
      ...{ url: url === '' ? undefined : url, pending },
      lastError: at === undefined ? undefined : { at: new Date(at * 1_000), message },
    };
  }

  /** @param language two letters; null: for everybody without a list of their own */
  async setCommands(commands: readonly ListedCommand[], language: string | null): Promise<void> {
    const list = { commands, ...(language !== null && { language_code: language as LanguageCode }) };
    await this.call('setMyCommands', {}, (raw, signal) => raw.setMyCommands(list, signal));
  }

  /**
   * Makes one call.
   * @param method its name, for errors
   * @param turn what it counts as
   * @throws DeliveryError
   */
  call<T>(method: string, turn: Turn, send: (raw: RawApi, signal: Signal) => Promise<T>): Promise<T> {
    return this.pace.run(turn, async () => {
      try {
        return await send(this.#api.raw, AbortSignal.timeout(this.callMs) as unknown as Signal);
      } catch (error) {
        throw this.translated(error, method);
      }
    });
  }

  private translated(error: unknown, method: string): DeliveryError {
    return translateTelegramError(error, { method, token: this.#token });
  }
}

/** An answer that says what it must. One that does not was no answer, and what was asked may have been done. */
export function expected<T>(method: string, schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new DeliveryError('unreachable', `Telegram answered ${method} with something else`, { maybeDone: true });
}
