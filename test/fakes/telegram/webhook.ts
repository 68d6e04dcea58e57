import type { Opts, WebhookInfo } from 'grammy/types';
import { badRequest } from './refusal.js';
import type { FakeTelegramSettings } from './settings.js';
import type { UpdateKind, UpdateQueue, Waiting } from './updates.js';

const DEFAULT_CONNECTIONS = 40;
/** All in seconds of the server: between two attempts at most, until an update is given up, until 410 ends the webhook. */
const LONGEST_DELAY = 90;
const LONGEST_ASKED = 3_600;
const EXPIRY = 24 * 3_600;
const GONE_FOR = 23 * 3_600;

/** An attempt to hand an update over. */
export interface Delivery {
  at: number;
  update: number;
  chat: number;
  /** HTTP status; 0: no answer. */
  status: number;
  ms: number;
  /** What stood in the answer; it should be nothing. */
  body: string;
}

interface Hook {
  url: string;
  secret: string | undefined;
  connections: number;
}

/** Pushes updates to the bot's address: of each chat one after the other, and again until they are taken. */
export class Webhook {
  deliveries: Delivery[] = [];
  /** Updates that were given up. */
  expired = 0;
  /** Most that were under way at once. */
  mostAtOnce = 0;
  private hook: Hook | undefined;
  private active = 0;
  private goneSince: number | undefined;
  private lastError: Pick<WebhookInfo, 'last_error_date' | 'last_error_message'> = {};
  private timer: NodeJS.Timeout | undefined;
  private readonly queue: UpdateQueue;
  private readonly settings: () => FakeTelegramSettings;
  private readonly changed: () => void;

  /** @param changed hears of every attempt that has ended */
  constructor(queue: UpdateQueue, settings: () => FakeTelegramSettings, changed: () => void) {
    this.queue = queue;
    this.settings = settings;
    this.changed = changed;
  }

  get isSet(): boolean {
    return this.hook !== undefined;
  }

  /** @throws Refusal */
  set({ url, secret_token: secret, max_connections: connections = DEFAULT_CONNECTIONS }: Opts<'setWebhook'>): void {
    if (secret !== undefined && !/^[\w-]{1,256}$/.test(secret)) {
      throw badRequest('secret token contains unallowed characters');
    }
    // The real server takes https alone, which a test has no certificate for.
    if (url !== '' && !/^https?:\/\//.test(url))
      throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
    this.hook = url === '' ? undefined : { url, secret, connections: Math.min(Math.max(connections, 1), 100) };
    for (const entry of this.queue.waiting) Object.assign(entry, { failures: 0, notBefore: 0 });
    this.pump();
  }

  info(): WebhookInfo {
    const { hook, queue } = this;
    const allowed = queue.allowed as UpdateKind[];
    return {
      url: hook?.url ?? '',
      has_custom_certificate: false,
      pending_update_count: queue.waiting.length,
      ...(hook && { max_connections: hook.connections, ...this.lastError }),
      ...(allowed.length > 0 && { allowed_updates: allowed }),
    };
  }

  /** Sends what can be sent now: the first of each chat that is not being sent already. */
  pump(): void {
    clearTimeout(this.timer);
    const { hook, queue } = this;
    if (!hook) return;
    const chats = new Set<number>();
    let next = Infinity;
    for (const entry of queue.waiting) {
      if (this.active >= hook.connections) return;
      const isFirst = !chats.has(entry.chat);
      chats.add(entry.chat);
      if (!isFirst || entry.busy) continue;
      if (entry.notBefore > Date.now()) next = Math.min(next, entry.notBefore);
      else void this.send(entry, hook);
    }
    if (next < Infinity) this.timer = setTimeout(() => this.pump(), Math.max(next - Date.now(), 1));
  }

  close(): void {
    clearTimeout(this.timer);
    this.hook = undefined;
  }

  private async send(entry: Waiting, hook: Hook): Promise<void> {
    entry.busy = true;
    this.active += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.active);
    const both = entry.twice ? [this.post(entry, hook), this.post(entry, hook)] : [this.post(entry, hook)];
    const [answer = { status: 0, wait: undefined }] = await Promise.all(both);
    entry.busy = false;
    entry.twice = false;
    this.active -= 1;
    if (answer.status >= 200 && answer.status < 300) {
      this.queue.remove(entry);
      this.goneSince = undefined;
    } else this.fail(entry, answer.status, answer.wait);
    this.changed();
    this.pump();
  }

  private async post(
    { update, chat }: Waiting,
    { url, secret }: Hook,
  ): Promise<{ status: number; wait?: number | undefined }> {
    const at = Date.now();
    const delivery: Delivery = { at, update: update.update_id, chat, status: 0, ms: 0, body: '' };
    const headers = {
      'content-type': 'application/json',
      ...(secret !== undefined && { 'x-telegram-bot-api-secret-token': secret }),
    };
    const signal = AbortSignal.timeout(this.settings().webhookTimeoutMs);
    try {
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(update), signal });
      Object.assign(delivery, { status: answer.status, body: await answer.text() });
      const asked = Number(answer.headers.get('retry-after') ?? Number.NaN);
      return { status: delivery.status, wait: Number.isNaN(asked) ? undefined : Math.min(asked, LONGEST_ASKED) };
    } catch {
      delivery.status = 0;
      return { status: 0 };
    } finally {
      delivery.ms = Date.now() - at;
      this.deliveries.push(delivery);
    }
  }

  /** Later again: at once for the first time, or when the bot asks for it, then after ever longer. */
  private fail(entry: Waiting, status: number, asked: number | undefined): void {
    const { secondMs } = this.settings();
    const now = Date.now();
    const usual = entry.failures === 0 ? 0 : Math.min(2 ** (entry.failures - 1), LONGEST_DELAY);
    entry.failures += 1;
    entry.notBefore = now + (asked ?? usual) * secondMs;
    const message = status === 0 ? 'Connection closed' : `Wrong response from the webhook: ${status}`;
    this.lastError = { last_error_date: Math.floor(now / 1_000), last_error_message: message };
    if (entry.notBefore > entry.since + EXPIRY * secondMs) {
      this.queue.remove(entry);
      this.expired += 1;
    }
    this.goneSince = status === 410 ? (this.goneSince ?? now) : undefined;
    if (this.goneSince !== undefined && now - this.goneSince > GONE_FOR * secondMs) this.hook = undefined;
  }
}
