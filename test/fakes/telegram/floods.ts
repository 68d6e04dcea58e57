import { tooMany } from './refusal.js';
import type { FloodLimits } from './settings.js';

const MINUTE_MS = 60_000;
/** A call that was under way when its chat was told to wait is no fault of its caller's. */
const GRACE_MS = 50;

/** Calls that write something, or change it. */
const WRITES = new Set([
  ...['sendMessage', 'editMessageText', 'editMessageReplyMarkup', 'deleteMessage'],
  ...['sendMessageDraft', 'setMessageReaction'],
]);

interface Call {
  method: string;
  chat: number | undefined;
  isGroup: boolean;
}

/** Times of the latest calls of one kind, oldest first. */
class Times {
  private list: number[] = [];

  /** How long until another one fits, in milliseconds; 0: now. */
  wait(now: number, most: number, withinMs: number): number {
    this.list = this.list.filter((at) => at > now - withinMs);
    const oldest = this.list.at(-most);
    return oldest === undefined ? 0 : oldest + withinMs - now;
  }

  add(now: number): void {
    this.list.push(now);
  }
}

/** A bucket of calls. */
interface Bucket {
  left: number;
  at: number;
}

/** Answers 429 to who calls too often, and remembers whom it told to wait. */
export class Floods {
  /** Calls that came before the time that their chat was told to wait had passed. */
  early: { method: string; chat: number | undefined; ms: number }[] = [];
  private readonly buckets = new Map<number, Bucket>();
  private readonly groups = new Map<number, Times>();
  private readonly all = new Times();
  private readonly closed = new Map<number | undefined, { since: number; until: number }>();

  /**
   * Counts a call.
   * @throws Refusal with 429 if it is one too many, or comes too early
   */
  admit(call: Call, limits: FloodLimits): void {
    const now = Date.now();
    this.checkClosed(call, now);
    const wait = call.method === 'getUpdates' ? 0 : this.waitOf(call, limits, now);
    if (wait > 0) throw this.told(call, Math.ceil(wait / 1_000));
    this.count(call, limits, now);
  }

  /** Remembers that the chat of a call is told to wait. */
  told({ chat }: Pick<Call, 'chat'>, seconds: number): Error {
    const now = Date.now();
    this.closed.set(chat, { since: now, until: now + seconds * 1_000 });
    return tooMany(seconds);
  }

  private checkClosed({ method, chat }: Call, now: number): void {
    const told = this.closed.get(chat);
    if (!told || now >= told.until) return;
    if (now > told.since + GRACE_MS) this.early.push({ method, chat, ms: told.until - now });
    throw tooMany(Math.ceil((told.until - now) / 1_000));
  }

  private waitOf({ method, chat, isGroup }: Call, limits: FloodLimits, now: number): number {
    const { perSecond, groupPerMinute } = limits;
    const all = perSecond > 0 ? this.all.wait(now, perSecond, 1_000) : 0;
    if (chat === undefined || !WRITES.has(method)) return all;
    const group = isGroup && groupPerMinute > 0 ? this.group(chat).wait(now, groupPerMinute, MINUTE_MS) : 0;
    return Math.max(all, group, this.bucketWait(chat, limits, now));
  }

  private bucketWait(chat: number, { chatPerSecond, chatBurst }: FloodLimits, now: number): number {
    if (chatPerSecond <= 0) return 0;
    const { left, at } = this.buckets.get(chat) ?? { left: chatBurst, at: now };
    const filled = Math.min(chatBurst, left + ((now - at) / 1_000) * chatPerSecond);
    this.buckets.set(chat, { left: filled, at: now });
    return filled >= 1 ? 0 : ((1 - filled) / chatPerSecond) * 1_000;
  }

  private count({ method, chat, isGroup }: Call, limits: FloodLimits, now: number): void {
    if (method !== 'getUpdates') this.all.add(now);
    if (chat === undefined || !WRITES.has(method)) return;
    if (isGroup) this.group(chat).add(now);
    const bucket = this.buckets.get(chat);
    if (bucket && limits.chatPerSecond > 0) bucket.left -= 1;
  }

  private group(chat: number): Times {
    const times = this.groups.get(chat) ?? new Times();
    this.groups.set(chat, times);
    return times;
  }
}
