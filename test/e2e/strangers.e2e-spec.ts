import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import { FakeTelegram } from '../fakes/telegram/fake-telegram.js';
import type { Person, TelegramStage } from '../fakes/telegram/stage.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { until } from '../support/until.js';
import { chatProfile, DAO, fakeProvider, Product } from './harness.js';

const PACE = { calls_per_second: 200, chat_interval_ms: 200, group_interval_ms: 400 };

let model: WireFake;
let telegram: FakeTelegram;
let stage: TelegramStage;
let product: Product;
let stranger: Person;

beforeAll(async () => {
  model = await startFakeOpenAi();
  telegram = await FakeTelegram.start({ secondMs: 50 });
  ({ stage } = telegram);
  product = await Product.open({
    profile: { ...chatProfile([fakeProvider('fake', model)], ['fake']), bots: { telegram: PACE } },
    env: {
      ...{ TELEGRAM_BOT_TOKEN: telegram.settings.token, TELEGRAM_API_ROOT: telegram.url, TELEGRAM_MODE: 'polling' },
      // Chats are of no DAO by themselves.
      DAGI_DEFAULT_DAO: 'none',
    },
  });
  stranger = await stage.person(777, { first_name: 'Oleh', language_code: 'en' });
});
afterAll(async () => {
  await product.close();
  await telegram.close();
  await model.close();
});

describe('whoever writes where no DAO answers', () => {
  it('should be told so in private, three times in a minute, and cost no model anything', async () => {
    for (const [text, words] of [
      ['/start', 'Your id is tg:777'],
      ['привіт', 'Ваш ідентифікатор — tg:777'],
      ['/dao', 'Your id is tg:777'],
    ] as const) {
      await stage.untilAnswered(stranger.id, await stranger.write(text), { matching: words });
    }
    await stranger.write('And now?');
    const waiting = () =>
      product.database.all.selectFrom('inbox').where('state', '<>', 'dropped').select('id').execute();
    await until(async () => {
      const all = await product.database.all.selectFrom('inbox').select('id').execute();
      return all.length === 4 && (await waiting()).length === 0;
    });
    expect(await stage.texts(stranger.id)).toHaveLength(3);
    expect(model.bodies).toEqual([]);
  });

  it('should be told in a group how it gets a DAO, once in a while', async () => {
    const other = await stage.person(778, { first_name: 'Nina', language_code: 'en' });
    const group = await stage.supergroup('Neighbours', { members: [other] });
    await other.write('Nobody asked you', { in: group });
    const asked = await other.write('/help', { in: group });
    await stage.untilAnswered(group.id, asked, { matching: 'does not belong to a DAO yet' });
    await other.write('/help', { in: group });
    await until(async () => {
      const of = product.database.all.selectFrom('inbox').where('actor', '=', 'tg:778').where('state', '=', 'dropped');
      return (await of.select('id').execute()).length === 2;
    });
    expect(await stage.texts(group.id)).toHaveLength(1);
  });

  it('should become a member by an invitation', async () => {
    const invited = await stage.person(779, { first_name: 'Ira', language_code: 'en' });
    const invitation = { user_id: 'tg:1', roles: ['member'] };
    const { body } = await product.call('POST', `/daos/${DAO}/invitations`, {}, invitation);
    const { secret } = body as unknown as { secret: string };
    const written = await invited.write(`/start ${secret}`);
    await stage.untilAnswered(invited.id, written, { matching: 'Welcome to GreenFood DAO' });
    const asked = await invited.write('Hello #ira');
    await stage.untilAnswered(invited.id, asked, { matching: 'echo #ira' });
    expect(await stage.violations()).toEqual([]);
  });
});
