// Parties of the bench of `/v1`, each a process of its own: how to start them, and how they are called.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/ports.mjs';
import { start, stopped } from './children.mjs';
import { obtainLiteLlm, obtainPortkey } from './openai-gateways.mjs';
import { memberKey, spoken, startProduct } from './parties.mjs';

const START_LIMIT_MS = 120_000;

/**
 * @typedef {object} Party
 * @property {string} name
 * @property {number} pid
 * @property {string} base address with `/v1`
 * @property {string} model what it calls the model
 * @property {object} [headers]
 * @property {() => Promise<void>} stop
 */

/** The endpoint itself. */
export async function startModel(model) {
  const script = join(import.meta.dirname, 'openai-model.mjs');
  const child = spawn(process.execPath, [script, JSON.stringify(model)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = (await spoken(child, '\n')).trim();
  return {
    ...{ name: 'model alone', pid: child.pid, base: `${url}/v1`, model: 'fake-model' },
    timings: async () => (await fetch(`${url}/__timings`)).json(),
    stop: () => stopped(child),
  };
}

/** The product as `dagi up`, whose only provider is that endpoint. */
export async function startDagi(modelBase, { headStart }) {
  const product = await startProduct({ profileText: profileOf(modelBase, headStart) });
  const key = await memberKey(product);
  return {
    ...{ name: headStart ? 'DAGI Stack' : 'DAGI Stack, no head start', pid: product.pid, base: `${product.url}/v1` },
    ...{ model: 'dagi-stack', headers: { authorization: `Bearer ${key}` }, stop: product.stop },
  };
}

const profileOf = (modelBase, headStart) => `version: "0.4.0"
environment: development
llm_providers:
  - name: bench
    type: openai-compatible
    config: { base_url: "${modelBase}", model: fake-model, max_tokens: 200 }
routing_rules:
  - name: chat
    conditions: { mode: chat }
    use_provider: bench
limits: { head_start: ${headStart} }
`;

/** LiteLLM's proxy with one worker and without a database: the least that it can be. It insists on a key. */
export async function startLiteLlm(modelBase, tell) {
  const { python, packages, version } = await obtainLiteLlm(tell);
  const home = mkdtempSync(join(tmpdir(), 'dagi-bench-litellm-'));
  const port = await freePort();
  writeFileSync(join(home, 'config.yaml'), liteLlmConfig(modelBase));
  const code = 'from litellm.proxy.proxy_cli import run_server; run_server()';
  const options = ['--config', join(home, 'config.yaml'), '--host', '127.0.0.1', '--port', port, '--num_workers', 1];
  const key = `sk-${randomBytes(32).toString('hex')}`;
  const settings = { LITELLM_MASTER_KEY: key, LITELLM_LOG: 'ERROR', LITELLM_LOCAL_MODEL_COST_MAP: 'True' };
  const child = start(python, ['-c', code, ...options.map(String)], home, {
    variables: { PYTHONPATH: packages, ...settings },
  });
  await answering(child, `http://127.0.0.1:${port}/health/liveliness`, home);
  return {
    ...{ name: `LiteLLM ${version}`, pid: child.pid, base: `http://127.0.0.1:${port}/v1`, model: 'bench' },
    headers: { authorization: `Bearer ${key}` },
    stop: () => stopped(child, home),
  };
}

const liteLlmConfig = (modelBase) => `model_list:
  - model_name: bench
    litellm_params: { model: openai/fake-model, api_base: "${modelBase}", api_key: none }
litellm_settings: { num_retries: 0, telemetry: false }
`;

/** Portkey's gateway, told by headers where to go. */
export async function startPortkey(modelBase, tell) {
  const { script, version } = await obtainPortkey(tell);
  const home = mkdtempSync(join(tmpdir(), 'dagi-bench-portkey-'));
  const port = await freePort();
  const child = start(process.execPath, [script, `--port=${port}`, '--headless'], home, {
    variables: { NODE_ENV: 'production' },
  });
  await answering(child, `http://127.0.0.1:${port}/`, home);
  return {
    ...{ name: `Portkey ${version}`, pid: child.pid, base: `http://127.0.0.1:${port}/v1`, model: 'fake-model' },
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': modelBase, authorization: 'Bearer none' },
    stop: () => stopped(child, home),
  };
}

async function answering(child, url, home) {
  const limit = Date.now() + START_LIMIT_MS;
  let failure;
  child.once('error', (error) => (failure = error));
  while (Date.now() < limit) {
    if (failure) throw failure;
    if (child.exitCode !== null || child.signalCode !== null) break;
    const answered = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return;
    await sleep(200);
  }
  await stopped(child, home);
  throw new Error(`${child.spawnfile} did not answer at ${url} in time. The last that it wrote:\n${child.tail}`);
}
