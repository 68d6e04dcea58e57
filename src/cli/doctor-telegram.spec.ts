import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from 'grammy';
import { FakeTelegram } from '../../test/fakes/telegram/fake-telegram.js';
import type { Finding } from './doctor-finding.js';
import { checkTelegram } from './doctor-telegram.js';

const PUBLIC_URL = 'https://dagi.example.org';
const OURS = `${PUBLIC_URL}/telegram/webhook`;

describe(checkTelegram, () => {
  let telegram: FakeTelegram;
  let api: Api;

  beforeEach(async () => {
    telegram = await FakeTelegram.start({ secondMs: 10 });
    api = new Api(telegram.settings.token, { apiRoot: telegram.url });
  });
  afterEach(() => telegram.close());

  const check = (env: Partial<Parameters<typeof checkTelegram>[0]> = {}, isRunning = true): Promise<Finding> =>
    checkTelegram({ TELEGRAM_BOT_TOKEN: telegram.settings.token, TELEGRAM_API_ROOT: telegram.url, ...env }, isRunning);

  it('finds nothing to check without a token', async () => {
    expect(await check({ TELEGRAM_BOT_TOKEN: undefined })).toEqual({
      ...{ ok: true, text: 'off: TELEGRAM_BOT_TOKEN is not set' },
    });
  });

  it('tells a token that the platform does not know from a platform that is away', async () => {
    const unknown = await check({ TELEGRAM_BOT_TOKEN: '7000000001:another' });
    expect(unknown).toMatchObject({ ok: false, text: expect.stringMatching(/check TELEGRAM_BOT_TOKEN\..*BotFather/) });
    const away = await check({ TELEGRAM_API_ROOT: 'http://127.0.0.1:9' });
    expect(away).toMatchObject({ ok: false, text: expect.stringMatching(/ECONNREFUSED.*TELEGRAM_API_ROOT/) });
  });

  it('finds updates fetched, unless a webhook is in the way', async () => {
    expect(await check()).toEqual({ ok: true, text: '@dagi_bot, polling, 0 updates waiting' });
    await api.setWebhook(OURS);
    const taken = await check({ PUBLIC_URL, TELEGRAM_MODE: 'polling' });
    expect(taken).toMatchObject({ ok: false, text: expect.stringContaining(`a webhook is set to ${OURS}`) });
    expect(await check({}, false)).toMatchObject({ ok: true, text: expect.stringContaining('a start removes it') });
  });

  it('finds the webhook where the platform is to push updates', async () => {
    await api.setWebhook(OURS);
    expect(await check({ PUBLIC_URL: `${PUBLIC_URL}/` })).toEqual({
      ...{ ok: true, text: `@dagi_bot, webhook ${OURS}, 0 updates waiting` },
    });
  });

  it('says so where there is none, or another', async () => {
    expect(await check({ PUBLIC_URL }, false)).toMatchObject({
      ...{ ok: true, text: `@dagi_bot, no webhook is set; a start sets it to ${OURS}` },
    });
    expect(await check({ PUBLIC_URL })).toMatchObject({ ok: false, text: expect.stringContaining('the log says why') });
    const insecure = await check({ PUBLIC_URL: 'http://dagi.example.org' });
    expect(insecure).toMatchObject({ ok: false, text: expect.stringContaining('takes https alone') });
    const toTelegramItself = { PUBLIC_URL: 'http://dagi.example.org', TELEGRAM_API_ROOT: undefined };
    expect(await check(toTelegramItself, false)).toMatchObject({
      ...{ ok: false, text: expect.stringMatching(/^the webhook would be http:.* takes https alone/) },
    });
    await api.setWebhook('https://other.example.org/hook');
    const other = await check({ PUBLIC_URL });
    expect(other).toMatchObject({ ok: false, text: expect.stringMatching(/https:\/\/other\..*a bot of its own/) });
  });

  it('says what the platform could not hand over', async () => {
    const nowhere = 'http://127.0.0.1:9';
    await api.setWebhook(`${nowhere}/telegram/webhook`);
    const ann = await telegram.stage.person(7, { first_name: 'Ann' });
    await ann.write('hi');
    const failing = async (): Promise<Finding> => {
      for (;;) {
        const found = await check({ PUBLIC_URL: nowhere });
        if (!found.ok) return found;
      }
    };
    const text = expect.stringMatching(
      /1 update waiting; Telegram could not .*: Connection closed\. See that PUBLIC_URL/,
    );
    expect(await failing()).toEqual({ ok: false, text });
  });
});
