import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { CommandMenu } from '../../contracts/conversation.js';
import type { TelegramIntake } from './intake.js';
import { TelegramPoller, type PollingLease, type UpdateSource } from './poller.js';
import type { TelegramSelf } from './read-update.js';
import { TELEGRAM_WEBHOOK } from './telegram.controller.js';

const AGAIN_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** What the bot asks of the platform when it begins. */
export interface TelegramAccount extends UpdateSource {
  getMe(): Promise<TelegramSelf>;
  setWebhook(url: string, secret: string): Promise<void>;
  deleteWebhook(): Promise<void>;
  /** Shows commands in the platform's menu, in a language; null: to everybody else. */
  setCommands(commands: CommandMenu['commands'], language: string | null): Promise<void>;
}

/** How updates reach us. */
export type TelegramMode = { kind: 'polling' } | { kind: 'webhook'; url: string; secret: string };

/**
 * Where the platform is to send updates: to us where it can reach us, unless it is said otherwise. Undefined: they are
 * fetched.
 */
export const webhookFor = (
  publicUrl: string | undefined,
  wanted: 'polling' | 'webhook' | undefined,
): string | undefined =>
  publicUrl !== undefined && wanted !== 'polling'
    ? new URL(TELEGRAM_WEBHOOK, `${publicUrl.replace(/\/+$/, '')}/`).href
    : undefined;

/** How a bot stands: what it is called once it is up, else what the platform said first. */
export type BotStanding = { isUp: true; name: string; mode: TelegramMode['kind'] } | { isUp: false; problem: string };

export interface TelegramBotParts {
  account: TelegramAccount;
  intake: TelegramIntake;
  lease: PollingLease;
  menus: readonly CommandMenu[];
  log: Logger;
}

/** A bot of Telegram in one process. It comes up in the background: the platform may be away for as long as it likes. */
export class TelegramBot {
  private readonly stopping = new AbortController();
  private readonly poller: TelegramPoller;
  private starting: Promise<void> | undefined;
  private readonly stood = Promise.withResolvers<BotStanding>();

  constructor(private readonly parts: TelegramBotParts) {
    const { account, intake, lease, log } = parts;
    this.poller = new TelegramPoller(account, intake, lease, log);
  }

  start(mode: TelegramMode): void {
    this.starting ??= this.begin(mode);
  }

  /** How it stands, as soon as anything is known. Where it does not stand well it is tried on. */
  get standing(): Promise<BotStanding> {
    return this.stood.promise;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.starting;
    await this.poller.stop();
  }

  private async begin(mode: TelegramMode): Promise<void> {
    const { account, intake, menus, log } = this.parts;
    const self = await this.until('who the bot is', () => account.getMe());
    if (!self) return;
    intake.introduce(self);
    if (mode.kind === 'webhook') {
      await this.until('the webhook', () => account.setWebhook(mode.url, mode.secret));
    } else {
      await this.until('the webhook', () => account.deleteWebhook());
      if (!this.stopping.signal.aborted) this.poller.start();
    }
    if (this.stopping.signal.aborted) return;
    this.stood.resolve({ isUp: true, name: self.username, mode: mode.kind });
    log.info({ bot: self.username, mode: mode.kind }, 'the bot of Telegram is up');
    for (const { language, commands } of menus) {
      await this.until('the menu', () => account.setCommands(commands, language));
    }
  }

  /** Asks the platform until it answers. Undefined: the process stops before. */
  private async until<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.stopping;
    let told = '';
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        return await ask();
      } catch (error) {
        if (signal.aborted) return undefined;
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== told) this.parts.log.warn({ what, err: error }, `${problem}; trying again`);
        told = problem;
        this.stood.resolve({ isUp: false, problem });
        const pause = Math.min(AGAIN_MS * 2 ** failures, LONGEST_PAUSE_MS);
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }
}
