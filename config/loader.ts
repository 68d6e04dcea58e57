import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, isAbsolute, resolve } from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { LineCounter, parseDocument } from 'yaml';
import type { ProviderConfig } from '../src/contracts/provider-config.js';
import type { RoutingRule, RoutingTable } from '../src/contracts/routing.js';
import { AppError } from '../src/errors/app-error.js';
import type { Env } from './env.js';
import { packagePath } from './paths.js';
import { ProfileSchema, type Profile } from './profile-schema.js';
import { configureProvider, environmentProviders } from './providers.js';

/** The pseudo-provider that stands for whatever the environment offers. */
const AUTO = 'auto';

/** A loaded profile: typed parts for those who need them. */
export interface LoadedConfig {
  profile: Profile;
  routing: RoutingTable;
  providers: ProviderConfig[];
  /** Things an operator should know that are no reason to refuse the file. */
  warnings: string[];
}

const refuse = (file: string, line: number | undefined, reason: string): never => {
  throw new AppError('CONFIG_INVALID', `${file}${line === undefined ? '' : `:${line}`}: ${reason}`);
};

/** The file of a profile: a name of `config/profiles`, or a path. */
export function profileFile(profile: string): string {
  if (isAbsolute(profile) || /[/\\]|\.ya?ml$/.test(profile)) return resolve(profile);
  return packagePath('config', 'profiles', `${profile}.yml`);
}

function readProfileText(file: string, profile: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const known = readdirSync(packagePath('config', 'profiles')).map((entry) => basename(entry, '.yml'));
    throw new AppError('CONFIG_INVALID', `There is no profile "${profile}". Choose one of ${known.join(', ')}, or a file.`);
  }
}

/** Parses and validates a profile's text; errors name file, line and reason. */
export function parseProfile(text: string, file: string): Profile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken) refuse(file, lines.linePos(broken.pos[0]).line, broken.message.split('\n')[0] ?? broken.code);
  const parsed = ProfileSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path ?? [];
  const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
  const line = node?.range ? lines.linePos(node.range[0]).line : undefined;
  return refuse(file, line, `${path.join('.') || 'file'}: ${issue?.message ?? 'not valid'}`);
}

function toRules(profile: Profile, known: ReadonlySet<string>, auto: string[], file: string, warnings: string[]): RoutingRule[] {
  return profile.routing_rules.map((rule): RoutingRule => {
    const expand = (provider: string): string[] => (provider === AUTO ? auto : [provider]);
    if (rule.use_provider !== AUTO && !known.has(rule.use_provider)) {
      refuse(file, undefined, `rule "${rule.name}" uses the unknown provider "${rule.use_provider}"`);
    }
    const fallbacks = [rule.fallback_provider ?? []].flat().flatMap(expand);
    for (const missing of fallbacks.filter((name) => !known.has(name))) {
      warnings.push(`rule "${rule.name}": fallback_provider "${missing}" is not defined and is skipped`);
    }
    const chain = [...new Set([...expand(rule.use_provider), ...fallbacks.filter((name) => known.has(name))])];
    return {
      name: rule.name,
      priority: rule.priority,
      conditions: rule.conditions,
      chain,
      ...(rule.timeout_ms === undefined ? {} : { timeoutMs: rule.timeout_ms }),
    };
  });
}

/** Builds the running configuration from a validated profile and the environment. */
export function buildConfig(profile: Profile, env: Env, file: string, secrets: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const offered = environmentProviders(env).filter((one) => !profile.llm_providers.some((own) => own.name === one.name));
  const configured = [...profile.llm_providers, ...offered].map((provider) => configureProvider(provider, env, secrets));
  const warnings: string[] = [];
  const names = new Set(configured.map(({ config }) => config.name));
  const auto = environmentProviders(env).map(({ name }) => name);
  const rules = toRules(profile, names, auto, file, warnings).toSorted((a, b) => a.priority - b.priority);
  const providers = Object.fromEntries(configured.map(({ config, policy }) => [config.name, policy]));
  const hashed = { rules, providers, requestTimeoutMs: profile.limits.request_timeout_ms };
  const hash = createHash('sha256').update(stableStringify(hashed)).digest('hex').slice(0, 16);
  return { profile, routing: { ...hashed, hash }, providers: configured.map(({ config }) => config), warnings };
}

/**
 * Loads the profile that the environment names.
 * @throws AppError `CONFIG_INVALID`
 */
export function loadConfig(env: Env, profile = env.DAGI_PROFILE): LoadedConfig {
  const file = profileFile(profile);
  return buildConfig(parseProfile(readProfileText(file, profile), file), env, file);
}
