import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import type { ProviderConfig } from '../src/contracts/provider-config.js';
import type { ProviderPolicy } from '../src/contracts/request.js';
import type { RoutingTable } from '../src/contracts/routing.js';
import { ConditionsCompiler } from './compile-conditions.js';
import { RulesCompiler } from './compile-rules.js';
import { readVariables, type Env } from './env.js';
import { LEVELS, type Level } from './limits-schema.js';
import { nodeOf, plain } from './nodes.js';
import { hostOf, poolsOf } from './pools.js';
import { asProfile, readProfile, readProfileText, type ProfileText } from './profile-files.js';
import type { Profile } from './profile-schema.js';
import { ProviderNames } from './provider-names.js';
import { configureProvider, environmentProviders } from './providers.js';
import { ProfileSource } from './source.js';

/** A profile before variables were put in, with all that it extends: it can be kept and built again. No secrets. */
export type ProfileDocument = Readonly<Record<string, unknown>>;

/** How `file` calls a profile that was kept. */
const KEPT = 'profile as kept';

/** What a changed profile must pass before it is used. */
export interface GuardSettings {
  enabled: boolean;
  /** How many recorded requests are decided under it. */
  requests: number;
  /** Share of them that may change, from 0 to 1. */
  maxChangedShare: number;
}

/** A loaded profile: typed parts for those who need them. */
export interface LoadedConfig {
  profile: Profile;
  routing: RoutingTable;
  providers: ProviderConfig[];
  /** Least grave lines of the log, by DAGI_LOG_LEVEL, `debug` and `logging.level`. */
  logLevel: Level;
  guard: GuardSettings;
  /** Things an operator should know that are no reason to refuse the file, with places like those of errors. */
  warnings: string[];
  document: ProfileDocument;
  /** The profile's own file. */
  file: string;
  /** Absolute paths of all files that were read, to be watched. None for a profile that was kept. */
  files: string[];
}

interface ConfiguredProviders {
  configs: ProviderConfig[];
  policies: Record<string, ProviderPolicy>;
}

/** Providers of the profile and of the environment, with their pools and prices. */
function configureProviders(source: ProfileSource, env: Env, variables: NodeJS.ProcessEnv): ConfiguredProviders {
  const { profile } = source;
  const own = new Set(profile.llm_providers.map(({ name }) => name));
  const offered = environmentProviders(env).filter(({ name }) => !own.has(name));
  const members = [...profile.llm_providers, ...offered].map((provider, index) => {
    const configured = configureProvider(provider, env, variables);
    for (const { path, reason } of configured.warnings) source.warn(['llm_providers', index, ...path], reason);
    return { provider, ...configured };
  });
  const pools = poolsOf(members);
  const policies = members.map(({ config, policy }): [string, ProviderPolicy] => {
    const pool = pools.get(config.name);
    return [config.name, { ...policy, ...(pool ? { pool } : {}) }];
  });
  return { configs: members.map(({ config }) => config), policies: Object.fromEntries(policies) };
}

/** What of a provider changes answers beside its policy. Neither keys nor whole addresses. */
const characterOf = ({
  type,
  model,
  temperature,
  topP,
  baseUrl,
}: ProviderConfig): Record<string, string | number | null> => ({
  type,
  model: model ?? null,
  temperature,
  topP,
  host: baseUrl === undefined ? null : hostOf(baseUrl),
});

function hashOf(table: Omit<RoutingTable, 'hash'>, providers: readonly ProviderConfig[]): string {
  const hashed = {
    ...table,
    characters: Object.fromEntries(providers.map((provider) => [provider.name, characterOf(provider)])),
  };
  return createHash('sha256').update(stableStringify(hashed)).digest('hex').slice(0, 16);
}

const weightsOf = ({ daos }: Profile): Record<string, number> =>
  Object.fromEntries(
    Object.entries(daos).flatMap(([dao, { weight }]) => (weight === undefined ? [] : [[dao, weight]])),
  );

function logLevelOf({ debug, logging }: Profile, env: Env): Level {
  if (env.DAGI_LOG_LEVEL) return env.DAGI_LOG_LEVEL;
  const level = logging.level ?? 'info';
  return debug && LEVELS.indexOf(level) < LEVELS.indexOf('debug') ? 'debug' : level;
}

const guardOf = ({ environment, guard }: Profile): GuardSettings => ({
  enabled: guard.enabled ?? environment !== 'development',
  requests: guard.requests,
  maxChangedShare: guard.max_changed_share,
});

/** Builds the running configuration from what the files say and from the environment. */
function build(text: ProfileText, env: Env, variables: NodeJS.ProcessEnv): LoadedConfig {
  const source = new ProfileSource(text.root, variables);
  const { profile } = source;
  const { configs, policies } = configureProviders(source, env, variables);
  const conditions = new ConditionsCompiler(source, variables);
  const rules = new RulesCompiler(source, new ProviderNames(profile.llm_providers, env), conditions);
  rules.checkAliases();
  const defaultRule = rules.defaultRule(profile);
  const table = {
    rules: rules.rules(profile),
    ...(defaultRule ? { defaultRule } : {}),
    answers: rules.answers(profile),
    providers: policies,
    requestTimeoutMs: profile.limits.request_timeout_ms,
    weights: weightsOf(profile),
  };
  source.complaints.throwIfAny();
  return {
    profile,
    routing: { ...table, hash: hashOf(table, configs) },
    providers: configs,
    logLevel: logLevelOf(profile, env),
    guard: guardOf(profile),
    warnings: source.warnings.lines(),
    document: plain(text.root) as ProfileDocument,
    file: text.file,
    files: text.files,
  };
}

/**
 * Builds the configuration of a profile's text.
 * @param file what it extends is looked for beside it
 * @throws AppError `CONFIG_INVALID` whose lines begin with `file:line:column: `
 */
export const buildFromText = (text: string, file: string, env: Env, variables = readVariables()): LoadedConfig =>
  build(readProfileText(text, file), env, variables);

/**
 * Builds the configuration of a profile that was kept, with the variables of now.
 * @throws AppError `CONFIG_INVALID`
 */
export function buildFromDocument(document: ProfileDocument, env: Env, variables = readVariables()): LoadedConfig {
  const root = asProfile(nodeOf(document, { file: KEPT, line: 0, column: 0 }));
  return build({ root, file: KEPT, files: [] }, env, variables);
}

/**
 * Loads the profile that the environment names.
 * @throws AppError `CONFIG_INVALID` whose lines begin with `file:line:column: `
 */
export const loadConfig = (env: Env, profile = env.DAGI_PROFILE): LoadedConfig =>
  build(readProfile(profile), env, readVariables());
