// The product with a bot, a platform and a model in processes of their own, and members who write.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { connectTelegram } from '../../test/fakes/telegram/stage.ts';
import { startFake } from '../../test/support/fake-process.mjs';
import { spentBy } from './children.mjs';
import { newHome, startProduct } from './parties.mjs';

const TOKEN = '7000000001:fake-token-of-tests-aaaaaaaaaaaaaaaaa';
const SECRET = 'secret-of-the-bench';
const HEADER = 'x-telegram-bot-api-secret-token';
const DAO = 'greenfood-dao';
const FIRST_MEMBER = 20_001;
const HEAP_FILE = 'heap.json';

/** How long the model takes to its first word, and between words, in milliseconds. */
export const MODEL = { firstTokenMs: 300, tokenMs: 20, tokens: 40 };

export class DialogsStage {
  updates = 0;

  static async open({ databaseUrl, members }) {
    const stage = new DialogsStage();
    stage.model = await startFake('openai', { ...MODEL, ledger: true });
    stage.platform = await startFake('telegram', { token: TOKEN });
    stage.telegram = connectTelegram(stage.platform.url);
    stage.settings = {
      home: newHome(),
      databaseUrl,
      profileText: profileOf(stage.model.url),
      variables: {
        TELEGRAM_BOT_TOKEN: TOKEN,
        TELEGRAM_API_ROOT: stage.platform.url,
        TELEGRAM_WEBHOOK_SECRET: SECRET,
        // The bench hands updates over itself; the platform is told an address where nobody listens.
        PUBLIC_URL: 'http://127.0.0.1:9',
      },
    };
    stage.product = await startProduct(stage.settings);
    await stage.addMembers(members);
    return stage;
  }

  /** Ends the product, and starts it again in the same home; from then on it can be told to collect its garbage. */
  async restart(meanwhile = () => undefined) {
    const { home, variables } = this.settings;
    await this.product.end();
    await meanwhile();
    this.product = await startProduct({ ...this.settings, variables: { ...variables, ...collecting(home) } });
  }

  async addMembers(count) {
    const { url, key } = this.product;
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    this.members = Array.from({ length: count }, (_, index) => FIRST_MEMBER + index);
    for (const id of this.members) {
      const body = JSON.stringify({ user_id: `tg:${id}`, roles: ['member'] });
      await fetch(`${url}/daos/${DAO}/members`, { method: 'POST', headers, body });
      await this.meet(id);
    }
  }

  /** Somebody has written to the bot: before that it may not write to them. */
  async meet(id) {
    const person = await this.telegram.person(id, { first_name: `Member ${id}`, language_code: 'en' });
    await person.write('/start');
  }

  /** Hands an update over. @returns milliseconds until the webhook was answered; NaN if not with 200 */
  async update(chat, text, messageId = (this.updates += 1)) {
    const from = { id: chat, is_bot: false, first_name: 'M', language_code: 'en' };
    const message = { message_id: messageId, date: 1_790_000_000, chat: { id: chat, type: 'private' }, from, text };
    const body = JSON.stringify({ update_id: (this.updates += 1), message });
    const began = performance.now();
    const response = await fetch(`${this.product.url}/telegram/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [HEADER]: SECRET },
      body,
    }).catch(() => undefined);
    await response?.arrayBuffer();
    return response?.status === 200 ? performance.now() - began : Number.NaN;
  }

  /** Hands updates over at a rate, to members in turn. @returns what each took, in milliseconds */
  async rate(perSecond, seconds) {
    const took = [];
    const calls = [];
    const began = performance.now();
    for (let n = 0; n < perSecond * seconds; n += 1) {
      const at = began + (n * 1_000) / perSecond;
      await new Promise((done) => setTimeout(done, Math.max(0, at - performance.now())));
      const chat = this.members[n % this.members.length];
      calls.push(this.update(chat, `bench #u${this.updates}`).then((ms) => took.push(ms)));
    }
    await Promise.all(calls);
    return took;
  }

  /** Waits until no dialog has anything to do. */
  async settle(limitMs = 600_000) {
    const connection = await Connection.connect({ address: this.temporalAddress() });
    try {
      const { workflow } = new Client({ connection });
      const query = 'WorkflowType = "dialog" AND ExecutionStatus = "Running"';
      for (
        const until = Date.now() + limitMs;
        Date.now() < until;
        await new Promise((done) => setTimeout(done, 1_000))
      ) {
        if ((await workflow.count(query)).count === 0) return true;
      }
      return false;
    } finally {
      await connection.close();
    }
  }

  /** What the product holds once nothing has anything to do and its garbage is collected, in megabytes. */
  async held() {
    await this.settle();
    const file = join(this.product.home, HEAP_FILE);
    for (let n = 0; n < 3; n += 1) {
      rmSync(file, { force: true });
      process.kill(this.product.pid, 'SIGUSR2');
      while (!existsSync(file)) await sleep(100);
      // Other threads have theirs collected, and pages are given back.
      await sleep(1_000);
    }
    const { heapUsed } = JSON.parse(readFileSync(file, 'utf8'));
    return { heap: heapUsed / 2 ** 20, resident: spentBy(this.product.pid).own.megabytes };
  }

  temporalAddress() {
    return JSON.parse(readFileSync(join(this.product.home, 'run.json'), 'utf8')).temporal_address;
  }

  async close() {
    await this.product?.stop();
    await this.platform?.stop();
    await this.model?.stop();
  }
}

/** Variables of a product that collects its garbage when it is told to. */
const collecting = (home) => ({
  NODE_OPTIONS: `--expose-gc --import ${pathToFileURL(join(import.meta.dirname, 'collect.mjs'))}`,
  BENCH_HEAP_FILE: join(home, HEAP_FILE),
});

const profileOf = (modelUrl) => `version: "0.4.0"
environment: development
llm_providers:
  - { name: bench, type: openai-compatible, config: { base_url: "${modelUrl}/v1", model: fake-model, max_tokens: 200 } }
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: bench }]
bots: { messages_per_minute: 1000000, waiting_per_chat: 1000000 }
`;
