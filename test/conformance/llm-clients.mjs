// The npm clients `ollama` and `openai`, as our providers use them, against endpoints that misbehave in every known way.
import '../support/typescript.mjs';
import { createServer } from 'node:net';
import { fromBuild } from '../support/parts.mjs';
import { SUITES } from './llm-cases.mjs';
import { outcomeOf } from './outcome.mjs';
import { everyCut, ReplayHost } from './replay-host.mjs';

const REPLAYED_TEXT = 'Привіт, 🌻 {"a": "\\n"}';

const CLIENTS = {
  ollama: async () => {
    const { OllamaProvider } = await fromBuild('src/adapters/llm/ollama.js');
    const { startFakeOllama } = await import('../fakes/fake-ollama.ts');
    return { start: startFakeOllama, provider: (url, model) => new OllamaProvider({ name: 'p', baseUrl: url, model }) };
  },
  openai: async () => {
    const { OpenAiCompatibleProvider } = await fromBuild('src/adapters/llm/openai-compatible.js');
    const { startFakeOpenAi } = await import('../fakes/fake-openai.ts');
    const provider = (url, model) =>
      new OpenAiCompatibleProvider({ name: 'p', baseUrl: `${url}/v1`, model, apiKey: 'k' });
    return { start: startFakeOpenAi, provider };
  },
};

/** An address where nobody listens. */
async function closedUrl() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return `http://127.0.0.1:${port}`;
}

/** Plays the recorded answer, whole or cut at every byte; gives what came of it, or of the first cut that went wrong. */
async function replay(host, provider, one, recorded) {
  for (const packets of one.replay === 'whole' ? [[recorded]] : everyCut(recorded)) {
    host.packets = packets;
    const outcome = await outcomeOf(provider, undefined, one, REPLAYED_TEXT);
    if (outcome !== one.expect) return `${outcome} (cut at byte ${packets[0].length})`;
  }
  return one.expect;
}

async function observe(one, { fake, host, client, recorded, defaults }) {
  const model = one.model ?? 'fake-model';
  if (one.replay) return replay(host, client.provider(host.url, 'm'), one, recorded);
  if (one.address === 'closed') return outcomeOf(client.provider(await closedUrl(), model), undefined, one);
  fake.reset();
  fake.settings = { ...defaults, ...one.settings };
  const fault = typeof one.fault === 'function' ? one.fault() : one.fault;
  if (fault) fake.fail(fault);
  return outcomeOf(client.provider(fake.url, model), fake, { ...one, model });
}

/** Runs the cases of a client and prints a line for each. Gives whether all went as they must. */
export async function runClient(name) {
  const { recorded, type, cases } = SUITES[name];
  const { DEFAULT_SETTINGS: defaults } = await import('../fakes/fake-dialect.ts');
  const client = await CLIENTS[name]();
  const [fake, host] = [await client.start(), await ReplayHost.start(type)];
  let failed = 0;
  try {
    for (const one of cases.toSorted((a, b) => a.no - b.no)) {
      const began = performance.now();
      const outcome = await observe(one, { fake, host, client, recorded, defaults });
      const ok = outcome === one.expect;
      if (!ok) failed += 1;
      const ms = `${Math.round(performance.now() - began)} ms`;
      const shown = one.show === 'body' && ok ? 'exactly what is expected' : outcome;
      console.log(
        `${ok ? 'ok  ' : 'FAIL'} ${String(one.no).padStart(2)}  ${one.name.padEnd(52)} ${ms.padStart(8)}  ${shown}`,
      );
      if (!ok) console.log(`         expected: ${one.expect}`);
    }
  } finally {
    await fake.close();
    await host.close();
  }
  console.log(`${name}: ${cases.length - failed} of ${cases.length} as they must be`);
  return failed === 0;
}
