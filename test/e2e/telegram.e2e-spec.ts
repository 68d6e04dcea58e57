import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import { FakeTelegram } from '../fakes/telegram/fake-telegram.js';
import type { TelegramStage } from '../fakes/telegram/stage.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product } from './harness.js';

const MEMBER = 12_345;

describe('a dialog in Telegram', () => {
  let model: WireFake;
  let telegram: FakeTelegram;
  let stage: TelegramStage;
  let product: Product;

  beforeAll(async () => {
    model = await startFakeOpenAi();
    telegram = await FakeTelegram.start();
    ({ stage } = telegram);
    product = await Product.open({
      profile: chatProfile([fakeProvider('fake', model)], ['fake']),
      env: { TELEGRAM_BOT_TOKEN: telegram.settings.token, TELEGRAM_API_ROOT: telegram.url },
    });
  });
  afterAll(async () => {
    await product.close();
    await telegram.close();
    await model.close();
  });
  beforeEach(async () => {
    model.reset();
    await stage.reset();
  });

  it('should answer a member, in one message that grows', async () => {
    const anna = await stage.person(MEMBER, { first_name: 'Anna', language_code: 'uk' });
    const asked = await anna.write('Hello #first');
    const [answer] = await stage.untilAnswered(anna.id, asked, { matching: 'echo' });
    expect(answer?.versions[0]?.text).toBe('…');
    expect(answer?.versions.at(-1)?.text).toBe('echo #first (2 messages) Hello #first');
    expect(await stage.violations()).toEqual([]);
    const { rows } = await product.database.of(DAO).selectFrom('inbox').selectAll().execute().then((all) => ({ rows: all }));
    expect(rows.map(({ state }) => state)).toEqual(['done']);
  });
});
