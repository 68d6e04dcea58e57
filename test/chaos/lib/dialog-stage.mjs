import { connectTelegram } from '../../fakes/telegram/stage.ts';
import { startFake } from '../../support/fake-process.mjs';
import { Installation } from './installation.mjs';
import { KEY } from './member.mjs';

const DAO = 'greenfood-dao';
const TOKEN = '7000000001:fake-token-of-tests-aaaaaaaaaaaaaaaaa';

/** An installation with a bot: API, a worker beside it, Temporal and database; model and platform survive. */
export class DialogStage extends Installation {
  /** @param settings of the platform */
  async open(settings) {
    await this.prepare('dialogs');
    this.fake = await startFake('openai', { firstTokenMs: [50, 400], tokenMs: 10, tokens: 26 });
    this.closers.push(() => this.fake.stop());
    const platform = await startFake('telegram', { token: TOKEN, ...settings });
    this.closers.push(() => platform.stop());
    this.telegram = connectTelegram(platform.url);
    const profile = this.profile(profileText(this.fake.url));
    const env = this.environment({ TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: platform.url });
    const api = await this.api(profile, env);
    this.url = api.url;
    // Its port is kept, so that the platform finds it again.
    env.PUBLIC_URL = api.url;
    const worker = this.worker('worker', ['--queue', 'orchestrator', 'dialogs', ...profile], { env });
    const { temporal, database } = this;
    this.victims = { temporal, api: api.victim, worker, database };
    for (const victim of [temporal, api.victim, worker]) await this.start(victim);
  }

  /** Makes members of people, and has them begin a chat. */
  async members(ids) {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const people = [];
    for (const id of ids) {
      const body = JSON.stringify({ user_id: `tg:${id}`, roles: ['member'] });
      const answer = await fetch(`${this.url}/daos/${DAO}/members`, { method: 'POST', headers, body });
      if (answer.status >= 300) throw new Error(`no member: ${await answer.text()}`);
      people.push(await this.telegram.person(id, { first_name: `Member ${id}`, language_code: 'en' }));
    }
    return people;
  }
}

const profileText = (url) => `version: "0.4.0"
environment: development
llm_providers:
  - { name: fake, type: openai-compatible, config: { base_url: "${url}/v1", model: fake-model } }
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: fake }]
limits: { request_timeout_ms: 180000 }
bots: { messages_per_minute: 1000000, telegram: { calls_per_second: 200, chat_interval_ms: 100, group_interval_ms: 100 } }
`;
