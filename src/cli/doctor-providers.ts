import type { Env } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import type { ProviderConfig } from '../contracts/provider-config.js';
import { bad, fine, type Finding } from './doctor-finding.js';

const PROBE_MS = 3_000;

/** Whether every endpoint that the profile and the environment name lists its models to us. */
export async function checkProviders(env: Env): Promise<Finding> {
  const remote = loadConfig(env).providers.filter(({ type }) => type !== 'embedded');
  const problems = (await Promise.all(remote.map((provider) => problemOf(provider)))).filter(
    (found) => found !== undefined,
  );
  if (problems.length > 0) return bad(problems.join('; '));
  return fine(['embedded', ...remote.map(({ name }) => name)].join(', '));
}

async function problemOf(provider: ProviderConfig): Promise<string | undefined> {
  const base = (provider.baseUrl ?? 'https://api.openai.com/v1').replace(/\/+$/, '');
  const path = provider.type === 'ollama' ? '/api/tags' : '/models';
  try {
    const response = await fetch(base + path, {
      headers: provider.apiKey === undefined ? {} : { authorization: `Bearer ${provider.apiKey}` },
      signal: AbortSignal.timeout(PROBE_MS),
    });
    if (response.ok) return undefined;
    const keyRefused = response.status === 401 || response.status === 403;
    return `${provider.name}: ${base} answers HTTP ${response.status}${keyRefused ? ', correct its key' : ''}`;
  } catch {
    return `${provider.name}: ${base} does not answer, start it or correct its address`;
  }
}
