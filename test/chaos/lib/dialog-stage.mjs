import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startFake } from '../../support/fake-process.mjs';
import { obtainModel } from '../../support/parts.mjs';
import { TestPostgres } from '../../support/postgres.ts';
import { connectTelegram } from '../../fakes/telegram/stage.ts';
import { apiVictim, temporalVictim, workerVictim } from './victim.mjs';

const KEY = 'chaos-key-of-the-administrator';
const DAO = 'greenfood-dao';
const TOKEN = '7000000001:fake-token-of-tests-aaaaaaaaaaaaaaaaa';

/** An installation on PostgreSQL with a bot: API, a worker beside it, Temporal and database; model and platform survive. */
export class DialogStage {
  closers = [];

  /** @param settings of the platform */
  async open(settings) {
    this.folder = mkdtempSync(join(tmpdir(), 'dagi-chaos-dialogs-'));
    mkdirSync(join(this.folder, 'home'));
    this.log = createWriteStream(join(this.folder, 'processes.log'));
    this.postgres = await TestPostgres.start({ fsync: true });
    this.closers.push(() => this.postgres.stop());
    this.model = await startFake('openai', { firstTokenMs: [50, 400], tokenMs: 10, tokens: 20 });
    this.closers.push(() => this.model.stop());
    const platform = await startFake('telegram', { token: TOKEN, ...settings });
    this.closers.push(() => platform.stop());
    this.telegram = connectTelegram(platform.url);
    await this.openVictims(platform.url);
  }

  async openVictims(telegramUrl) {
    const temporal = await temporalVictim(this.folder, this.log);
    const profile = ['--profile', this.writeProfile()];
    // The API's own port is what the platform is told; it is kept, so that the platform finds it again.
    const env = this.environment(temporal.address, telegramUrl, await obtainModel());
    const api = await apiVictim(profile, { env, log: this.log });
    env.PUBLIC_URL = api.url;
    this.url = api.url;
    const queues = ['--queue', 'orchestrator', 'dialogs'];
    const worker = workerVictim('worker', [...queues, ...profile], { env, log: this.log });
    this.victims = {
      temporal: temporal.victim,
      api: api.victim,
      worker,
      database: {
        kill: () => this.postgres.kill(),
        start: () => this.postgres.restart(),
        stop: () => this.postgres.stop(),
      },
    };
    for (const name of ['temporal', 'api', 'worker']) {
      this.closers.push(() => this.victims[name].stop());
      await this.victims[name].start();
    }
  }

  environment(temporalAddress, telegramUrl, model) {
    return {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DAGI_HOME: join(this.folder, 'home'),
      DAGI_CACHE: resolve(process.env.DAGI_CACHE || join(import.meta.dirname, '../../../var/cache')),
      DAGI_ADMIN_KEY: KEY,
      DATABASE_URL: this.postgres.url,
      TEMPORAL_ADDRESS: temporalAddress,
      EMBEDDED_MODEL: model,
      TELEGRAM_BOT_TOKEN: TOKEN,
      TELEGRAM_API_ROOT: telegramUrl,
    };
  }

  writeProfile() {
    const file = join(this.folder, 'chaos.yml');
    writeFileSync(
      file,
      `version: "0.4.0"
environment: development
llm_providers:
  - { name: fake, type: openai-compatible, config: { base_url: "${this.model.url}/v1", model: fake-model } }
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: fake }]
limits: { request_timeout_ms: 180000 }
bots: { messages_per_minute: 1000000, telegram: { calls_per_second: 200, chat_interval_ms: 100, group_interval_ms: 100 } }
`,
    );
    return file;
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

  async close() {
    for (const close of this.closers.reverse()) await close().catch(() => undefined);
    this.log?.end();
    process.stdout.write(`what the processes wrote: ${join(this.folder, 'processes.log')}\n`);
    rmSync(join(this.folder, 'temporal.db'), { force: true });
    rmSync(join(this.folder, 'home'), { recursive: true, force: true });
  }
}
