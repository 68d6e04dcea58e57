import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { readEnv, type Env } from '../../config/env.js';
import { FakeDiscord } from '../../test/fakes/discord/fake-discord.js';
import { FakeTelegram } from '../../test/fakes/telegram/fake-telegram.js';
import { strict } from '../../test/factories/strict.js';
import { TelegramBotApi } from '../adapters/telegram/telegram-bot-api.js';
import type { TelegramIntake } from '../bots/telegram/intake.js';
import { TelegramBot } from '../bots/telegram/telegram-bot.js';
import { botLines, printedBots } from './bot-lines.js';
import { registerCommands } from './discord.js';

const OFF = readEnv({});

describe(botLines, () => {
  let telegram: FakeTelegram;
  let logged: string[];
  let bot: TelegramBot | undefined;

  beforeEach(async () => {
    telegram = await FakeTelegram.start({ secondMs: 10 });
    logged = [];
  });
  afterEach(async () => {
    await bot?.stop();
    await telegram.close();
  });

  const started = (token: string, apiRoot = telegram.url): TelegramBot => {
    const account = new TelegramBotApi({ token, apiRoot, pollSeconds: 1 });
    const intake = strict<TelegramIntake>('intake', { introduce: () => undefined });
    const lease = { held: () => Promise.resolve(false), release: () => Promise.resolve() };
    const log = pino({}, { write: (line: string) => void logged.push(line) });
    bot = new TelegramBot({ account, intake, lease, menus: [], log });
    bot.start({ kind: 'polling' });
    return bot;
  };

  it('has none where there is no bot', async () => {
    expect(await botLines(OFF, undefined)).toEqual([]);
  });

  it('names a bot that is up, and how its updates come', async () => {
    const lines = await botLines(OFF, started(telegram.settings.token).standing);
    expect(lines).toEqual([{ platform: 'Telegram', isUp: true, text: '@dagi_bot, polling' }]);
    expect(printedBots(lines)).toBe('Telegram: @dagi_bot, polling\n');
  });

  it('says what Telegram said of a token, and so does the log', async () => {
    const lines = await botLines(OFF, started('7000000001:another').standing);
    const said = 'Telegram does not know this bot (HTTP 401): check TELEGRAM_BOT_TOKEN';
    expect(printedBots(lines)).toBe(`! Telegram: ${said}; trying on\n`);
    expect(logged.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([`${said}; trying again`]);
  });

  it('waits for no platform that says nothing', async () => {
    const forever = new Promise<never>(() => undefined);
    expect(await botLines(OFF, forever, 1)).toMatchObject([
      { platform: 'Telegram', isUp: false, text: expect.stringMatching(/^not reached yet, trying on/) as unknown },
    ]);
  });

  it('says how the application of Discord stands', async () => {
    const discord = await FakeDiscord.start();
    try {
      const { applicationId, botToken } = discord.settings;
      const env: Env = {
        ...{ ...OFF, DISCORD_PUBLIC_KEY: discord.publicKey, DISCORD_APPLICATION_ID: applicationId },
        ...{ DISCORD_BOT_TOKEN: botToken, DISCORD_API_ROOT: discord.apiRoot },
      };
      discord.settings = { ...discord.settings, interactionsUrl: 'https://dagi.example.org/discord/interactions' };
      await registerCommands(env, undefined);
      expect(await botLines(env, undefined)).toMatchObject([
        { platform: 'Discord', isUp: true, text: expect.stringContaining(`application ${applicationId}`) as unknown },
      ]);
      const unknown = await botLines({ ...env, DISCORD_BOT_TOKEN: 'another' }, undefined);
      expect(printedBots(unknown)).toMatch(/^! Discord: Discord does not know DISCORD_BOT_TOKEN/);
    } finally {
      await discord.close();
    }
  });
});
