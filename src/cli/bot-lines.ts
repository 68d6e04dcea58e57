import { setTimeout as sleep } from 'node:timers/promises';
import type { Env } from '../../config/env.js';
import type { BotStanding } from '../bots/telegram/telegram-bot.js';

/** How long a start waits for platforms, in milliseconds: they may be away for as long as they like. */
const PATIENCE_MS = 3_000;

/** How a bot stands, for whoever started the process. */
export interface BotLine {
  platform: 'Telegram' | 'Discord';
  isUp: boolean;
  text: string;
}

/**
 * How the bots stand as far as that is known within some seconds; of platforms without a bot there is none.
 * @param telegram of the bot of this process, if there is one
 */
export async function botLines(
  env: Env,
  telegram: Promise<BotStanding> | undefined,
  patienceMs: number = PATIENCE_MS,
): Promise<BotLine[]> {
  const waiting = new AbortController();
  const soon = <T>(known: Promise<T>): Promise<T | undefined> =>
    Promise.race([known, sleep(patienceMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
  try {
    const asked = [
      ...(telegram ? [telegramLine(soon(telegram))] : []),
      ...(hasDiscord(env) ? [discordLine(env, soon)] : []),
    ];
    return await Promise.all(asked);
  } finally {
    waiting.abort();
  }
}

async function telegramLine(known: Promise<BotStanding | undefined>): Promise<BotLine> {
  const standing = await known;
  const platform = 'Telegram';
  if (standing === undefined) return { platform, isUp: false, text: 'not reached yet, trying on: npx dagi doctor' };
  if (standing.isUp) return { platform, isUp: true, text: `@${standing.name}, ${standing.mode}` };
  return { platform, isUp: false, text: `${standing.problem}; trying on` };
}

const hasDiscord = (env: Env): boolean =>
  [env.DISCORD_PUBLIC_KEY, env.DISCORD_APPLICATION_ID, env.DISCORD_BOT_TOKEN].some((one) => one !== undefined);

async function discordLine(env: Env, soon: <T>(known: Promise<T>) => Promise<T | undefined>): Promise<BotLine> {
  // Its client takes a while to load: a start without it is not to wait for that.
  const { checkDiscord } = await import('./doctor-discord.js');
  const found = await soon(checkDiscord(env));
  const { ok = false, text = 'not reached yet: npx dagi doctor' } = found ?? {};
  return { platform: 'Discord', isUp: ok, text };
}

/** Lines as a process prints them that has no frame. */
export const printedBots = (bots: readonly BotLine[]): string =>
  bots.map(({ platform, isUp, text }) => `${isUp ? '' : '! '}${platform}: ${text}\n`).join('');
