import { seedDaos } from '../../test/support/daos.mjs';
import { startFake } from '../../test/support/fake-process.mjs';
import { createDatabase, TestPostgres } from '../../test/support/postgres.ts';
import { routeCaller } from './calls.mjs';
import { startProduct } from './parties.mjs';

/** What the product is told about the model. Fallbacks: none, so that every figure is this model's. */
const PROVIDER = { maxTokens: 200, timeoutMs: 3_500, maxAttempts: 2, retryDelayMs: 1_000, atOnce: 3 };

/** Questions that do not count, so many at once: code is compiled and connections are made before the time begins. */
const WARM_UP = { dao: 'load-warm', member: 'tg:900', atOnce: 8, each: 5 };

/** Servers of the load bench: PostgreSQL once, a fresh model and a fresh product for each part. */
export class LoadStage {
  closers = [];
  parts = 0;

  async open() {
    this.postgres = await TestPostgres.start({ fsync: true });
    this.closers.push(() => this.postgres.stop());
  }

  /** A model on a card of its own, with nothing on its counters. */
  async fake(settings) {
    const fake = await startFake('gpu-ollama', settings);
    const stop = once(() => fake.stop());
    this.closers.push(stop);
    return { ...fake, stop };
  }

  /**
   * The product in front of a model, with DAOs and their members in its database.
   * @param {Map<string, string[]>} daos members by DAO
   */
  async product(fake, daos, { deadlineMs }) {
    this.parts += 1;
    const databaseUrl = await createDatabase(this.postgres.url, `load_${this.parts}`);
    const product = await startProduct({ databaseUrl, profileText: profile(fake.url, deadlineMs) });
    const stop = once(() => product.stop());
    this.closers.push(stop);
    await seedDaos(databaseUrl, new Map([...daos, [WARM_UP.dao, [WARM_UP.member]]]));
    await warmUp(routeCaller(product));
    await fake.reset();
    return { ...product, stop };
  }

  async close() {
    for (const close of this.closers.reverse()) await close();
  }
}

async function warmUp(call) {
  const life = async (index) => {
    for (let number = 0; number < WARM_UP.each; number += 1) await call({ ...WARM_UP, marker: `w${index}-${number}` });
  };
  await Promise.all(Array.from({ length: WARM_UP.atOnce }, (_, index) => life(index)));
}

export const providerText = () =>
  `max_tokens ${PROVIDER.maxTokens}, timeout of a call ${PROVIDER.timeoutMs} ms, ${PROVIDER.maxAttempts} attempts ` +
  `${PROVIDER.retryDelayMs} ms apart, at most ${PROVIDER.atOnce} at once, no fallback`;

const profile = (url, deadlineMs) => `version: "0.4.0"
environment: development
llm_providers:
  - name: local
    type: ollama
    config:
      base_url: "${url}"
      model: fake-model
      max_tokens: ${PROVIDER.maxTokens}
      timeout_ms: ${PROVIDER.timeoutMs}
      max_attempts: ${PROVIDER.maxAttempts}
      retry_delay_ms: ${PROVIDER.retryDelayMs}
routing_rules:
  - { name: chat, conditions: { mode: chat }, use_provider: local }
limits: { request_timeout_ms: ${deadlineMs}, session_tokens: 0 }
`;

function once(close) {
  let closed;
  return () => (closed ??= close());
}
