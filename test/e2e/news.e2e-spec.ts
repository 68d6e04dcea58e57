import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { GOOD } from '../fakes/crew-answers.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import { FakeTelegram } from '../fakes/telegram/fake-telegram.js';
import type { Person, TelegramStage } from '../fakes/telegram/stage.js';
import type { Told } from '../fakes/telegram/world.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { until } from '../support/until.js';
import { CrewCalls, MEMBER } from './crew-calls.js';
import { chatProfile, DAO, fakeProvider, Product } from './harness.js';

const PACE = { calls_per_second: 200, chat_interval_ms: 200, group_interval_ms: 400 };
const ONBOARDING = { about: 'I can code.', name: 'Olena' };

let model: WireFake;
let telegram: FakeTelegram;
let stage: TelegramStage;
let product: Product;
let crews: CrewCalls;
let admin: Person;
let anna: Person;

/** Somebody who has written to the bot, so that it may write to them. */
async function present(id: number, name: string): Promise<Person> {
  const person = await stage.person(id, { first_name: name, language_code: 'en' });
  await stage.untilAnswered(id, await person.write('/notify'));
  return person;
}

/** Messages of the bot in a chat that say a thing now. */
async function saying(person: Person, words: string): Promise<Told[]> {
  const told = await stage.transcript(person.id);
  return told.filter((one) => one.by === 'bot' && !one.deletedAt && one.versions.at(-1)?.text.includes(words));
}

/** The one message that says a thing, once it does. */
async function told(person: Person, words: string): Promise<Told> {
  await until(async () => (await saying(person, words)).length > 0, 30_000);
  const found = await saying(person, words);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const labels = (one: Told): string[] => (one.versions.at(-1)?.buttons ?? []).flat().map(({ text }) => text);

/** The message as it is now. */
async function again({ id, chat }: Told): Promise<Told> {
  const found = (await stage.transcript(chat)).find((one) => one.id === id);
  if (!found) throw new Error(`message ${id} is gone`);
  return found;
}

const says = async (one: Told, words: string): Promise<void> =>
  until(async () => (await again(one)).versions.at(-1)?.text.includes(words) === true, 30_000);

async function rolesOf(user: string): Promise<string[]> {
  const { body } = await product.call('POST', '/rbac/resolve', {}, { dao_id: DAO, user_id: user });
  return (body as unknown as { roles: string[] }).roles;
}

async function onboard(user: string): Promise<string> {
  const { body } = await crews.start('microdao_onboarding', ONBOARDING, user);
  return body.request_id;
}

/** Moves the times of a run's gate, and has the run look at it. */
async function pass(runId: string, times: 'remind_at' | 'expires_at'): Promise<void> {
  await sql`
    update crew_gates set ${sql.ref(times)} = now() - interval '1 second' where run_id = ${runId}
  `.execute(product.database.all);
  // Somebody may wake a run at any time.
  await product.restart();
}

beforeAll(async () => {
  model = await startFakeOpenAi();
  telegram = await FakeTelegram.start({ secondMs: 50 });
  ({ stage } = telegram);
  product = await Product.open({
    profile: {
      ...chatProfile([fakeProvider('fake', model, { max_tokens: 800 })], ['fake']),
      bots: { telegram: PACE, messages_per_minute: 10_000 },
    },
    env: {
      ...{ TELEGRAM_BOT_TOKEN: telegram.settings.token, TELEGRAM_API_ROOT: telegram.url, TELEGRAM_MODE: 'polling' },
    },
  });
  crews = new CrewCalls(product);
  model.settings = { ...model.settings, scripts: GOOD };
  admin = await present(1, 'Olha');
  anna = await present(12_345, 'Anna');
  await product.database
    .of(DAO)
    .updateTable('members')
    .set({ name: 'Olha' })
    .where(sql<boolean>`'admin' = any (roles)`)
    .execute();
});
afterAll(async () => {
  await product.close();
  await telegram.close();
  await model.close();
});

describe('news in Telegram', () => {
  it('should bring a newcomer into the DAO: the admin approves by a button, and the newcomer is told', async () => {
    const olena = await present(701, 'Olena');
    const runId = await onboard('tg:701');
    const asked = await told(admin, 'Your approval is needed: getting to know the DAO');
    expect(labels(asked)).toEqual(['✅ Approve', '❌ Reject', '↩️ Send back']);
    expect(asked.versions.at(-1)?.text).toContain('contributor');
    await product.restart();
    await admin.press(asked.id, '✅ Approve');
    await says(asked, 'Decided by Olha: approved');
    expect(labels(await again(asked))).toEqual([]);
    await told(olena, 'Welcome! You have the role “contributor” in GreenFood DAO');
    await told(olena, 'Done: getting to know the DAO');
    expect(await rolesOf('tg:701')).toEqual(['contributor']);
    expect((await crews.ended(runId)).state).toBe('completed');
    expect(await saying(admin, 'getting to know the DAO')).toHaveLength(1);
    expect(await stage.violations()).toEqual([]);
  });

  it('should refuse a press by whoever may not decide, and decide nothing', async () => {
    await present(702, 'Ivan');
    const runId = await onboard('tg:702');
    const asked = await told(admin, '(tg:702)');
    const [approve] = asked.versions.at(-1)?.buttons.flat() ?? [];
    if (!approve || !('callback_data' in approve)) throw new Error('there is no button');
    // Anna has no such message; a press of it comes all the same.
    const before = await stage.transcript(anna.id);
    const own = before.findLast(({ by }) => by === 'bot')!;
    const from = { id: anna.id, is_bot: false, first_name: 'Anna', language_code: 'en' };
    const chat = { id: anna.id, type: 'private' as const, first_name: 'Anna' };
    const query = {
      ...{ id: 'press-of-anna', from, chat_instance: '1', data: approve.callback_data },
      message: { message_id: own.id, date: 1, chat, text: 'x' },
    };
    await stage.put({ update_id: 900_000_001, callback_query: query }, anna.id);
    await stage.untilDelivered();
    await until(async () => {
      const acts = product.database.all.selectFrom('inbox').where('lane', '=', 'act').where('actor', '=', MEMBER);
      return (await acts.where('state', '=', 'done').select('id').execute()).length > 0;
    });
    expect((await crews.seen(runId)).gates[0]?.state).toBe('open');
    await crews.decide(runId, 'reject');
    await says(asked, 'Decided by Olha: rejected');
  });

  it('should take the next message for what is to be done better', async () => {
    await present(703, 'Petro');
    const runId = await onboard('tg:703');
    const asked = await told(admin, '(tg:703)');
    await admin.press(asked.id, '↩️ Send back');
    await until(async () => (await product.database.all.selectFrom('pending').selectAll().execute()).length > 0);
    const written = await admin.write('Ask them first what they want.');
    await stage.untilAnswered(admin.id, written, { matching: 'I have passed it on' });
    await until(async () => (await crews.seen(runId)).gates[0]?.state === 'returned');
    const [made] = (await crews.seen(runId)).gates[0]?.decisions ?? [];
    expect(made).toMatchObject({ decision: 'return', comment: 'Ask them first what they want.' });
    await until(async () => (await again(asked)).versions.at(-1)?.text.includes('sent back') === true);
  });

  it('should remind of what nobody decided, once, and tell when its time is up', async () => {
    await present(704, 'Maria');
    const runId = await onboard('tg:704');
    const asked = await told(admin, '(tg:704)');
    await pass(runId, 'remind_at');
    const reminder = await told(admin, 'A reminder, this still waits for you');
    expect(labels(reminder)).toEqual(['✅ Approve', '❌ Reject', '↩️ Send back']);
    await pass(runId, 'expires_at');
    await told(admin, 'Time is up, nobody decided: getting to know the DAO');
    for (const one of [asked, reminder]) {
      await says(one, 'Time is up; nobody decided.');
      expect(labels(await again(one))).toEqual([]);
    }
  });

  it('should bring a proposal to all who may vote, with a tally that follows the ballots, and its result', async () => {
    const draft = { title: 'Rent the old barn', text: 'We rent the barn behind the mill.', open: true };
    const { body } = await product.call('POST', `/proposals?dao_id=${DAO}&user_id=tg:1`, {}, draft);
    const { n } = body as unknown as { n: number };
    const seen = await Promise.all([admin, anna].map((person) => told(person, 'A new proposal is open for voting')));
    for (const one of seen) expect(labels(one)).toEqual(['Yes', 'No', 'Abstain']);
    const ballot = { choice: 'yes' };
    const cast = await product.call('PUT', `/proposals/${n}/vote?dao_id=${DAO}&user_id=${MEMBER}`, {}, ballot);
    expect([cast.status, cast.body.error]).toEqual([200, undefined]);
    for (const one of seen) await says(one, 'Yes 1 · No 0 · Abstain 0');
    await sql`
      update proposals set opened_at = opened_at - interval '30 days', closes_at = now(), due_at = now() where n = ${n}
    `.execute(product.database.all);
    await product.restart();
    for (const one of seen) await says(one, 'accepted, not carried out yet');
    for (const one of seen) expect(labels(await again(one))).toEqual([]);
    await told(anna, 'It is carried out on');
  });

  it('should count votes by button, let them be changed, and tell whoever may not vote, or comes too late', async () => {
    const guest = await present(705, 'Roman');
    const draft = { title: 'Buy a cargo bike', text: 'For the market.', open: true };
    const { body } = await product.call('POST', `/proposals?dao_id=${DAO}&user_id=tg:1`, {}, draft);
    const { n } = body as unknown as { n: number };
    const asked = async (person: Person): Promise<Told> => {
      const after = await person.write(`/vote ${n}`);
      const [card] = await stage.untilAnswered(person.id, after, { matching: 'Buy a cargo bike' });
      return card!;
    };
    const pressed = async (person: Person, card: Told, button: string): Promise<unknown> => {
      const press = await person.press(card.id, button);
      await stage.untilHeard(press);
      const calls = await stage.calls({ method: 'answerCallbackQuery' });
      return calls.find(({ params }) => params.callback_query_id === press)?.params.text;
    };
    const ballots = async (): Promise<string[]> => {
      const { body: list } = await product.call('GET', `/proposals/${n}/votes?dao_id=${DAO}&user_id=tg:1`);
      return (list as unknown as { votes: { choice: string }[] }).votes.map(({ choice }) => choice);
    };
    const card = await asked(anna);
    expect(await pressed(anna, card, 'Yes')).toBe('Your vote counts: Yes. You can change it until the close.');
    await says(card, 'Yes 1 · No 0 · Abstain 0');
    await says(card, 'Your vote: Yes');
    expect(await pressed(anna, card, 'No')).toBe('Your vote counts: No. You can change it until the close.');
    await says(card, 'Yes 0 · No 1 · Abstain 0');
    expect(await ballots()).toEqual(['no']);
    const shown = await asked(guest);
    const refused = await pressed(guest, shown, 'Yes');
    expect(refused).toMatch(
      /^That needs a right that you do not have here: .* Roles that have it: admin, member\. An admin/,
    );
    expect(await ballots()).toEqual(['no']);
    await sql`
      update proposals set opened_at = opened_at - interval '30 days', closes_at = now(), due_at = now() where n = ${n}
    `.execute(product.database.all);
    await product.restart();
    // The message follows the vote; whoever still sees its buttons is told why the press does not count.
    await says(card, 'rejected');
    expect(labels(await again(card))).toEqual([]);
    const [yes] = card.versions.at(-1)?.buttons.flat() ?? [];
    if (!yes || !('callback_data' in yes)) throw new Error('there was no button');
    expect(await stage.violations()).toEqual([]);
    const query = {
      ...{ id: 'late-press', chat_instance: '1', data: yes.callback_data },
      from: { id: anna.id, is_bot: false, first_name: 'Anna', language_code: 'en' },
      message: {
        message_id: card.id,
        date: 1,
        chat: { id: anna.id, type: 'private' as const, first_name: 'Anna' },
        text: 'x',
      },
    };
    await stage.put({ update_id: 900_000_002, callback_query: query }, anna.id);
    const heard = async (): Promise<unknown> => {
      const calls = await stage.calls({ method: 'answerCallbackQuery' });
      return calls.find(({ params }) => params.callback_query_id === 'late-press')?.params.text;
    };
    await until(async () => (await heard()) !== undefined);
    expect(await heard()).toMatch(/^⚠️ Voting on this proposal .*\(VOTING_(CLOSED|NOT_OPEN)\)$/);
    expect(await ballots()).toEqual(['no']);
  });

  it('should tell nobody who wants to hear nothing', async () => {
    const written = await anna.write('/notify off proposals');
    await stage.untilAnswered(anna.id, written, { matching: 'proposals .and votes.: off' });
    const draft = { title: 'Paint the barn', text: 'We paint it green.', open: true };
    await product.call('POST', `/proposals?dao_id=${DAO}&user_id=tg:1`, {}, draft);
    await told(admin, 'Paint the barn');
    // All of it was spread, and nothing is left to be written.
    await until(async () => {
      const open = product.database.all.selectFrom('news').where('spread_at', 'is', null).select('id').execute();
      const left = product.database.all.selectFrom('deliveries').where('state', '=', 'waiting').select('id').execute();
      return (await open).length + (await left).length === 0;
    });
    expect(await saying(anna, 'Paint the barn')).toEqual([]);
  });
});
