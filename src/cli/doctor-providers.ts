import type { Env } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import { LlmRegistry } from '../adapters/llm/registry.js';
import { bad, fine, type Finding } from './doctor-finding.js';

const PROBE_MS = 3_000;

/** Whether every endpoint that the profile and the environment name is there and takes its key. */
export async function checkProviders(env: Env): Promise<Finding> {
  const remote = loadConfig(env).providers.filter(({ type }) => type !== 'embedded');
  const names = remote.map(({ name }) => name);
  const registry = new LlmRegistry(remote);
  const found = await registry.checkAll(PROBE_MS);
  await registry.close();
  const problems = found.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason ?? 'failed'}`);
  if (problems.length === 0) return fine(['embedded', ...names].join(', '));
  return bad(`${problems.join('; ')}. Start what is not there, or correct its address or key.`);
}
