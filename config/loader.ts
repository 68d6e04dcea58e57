import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, isAbsolute, resolve } from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { ProviderConfig } from '../src/contracts/provider-config.js';
import type { RoutingRule, RoutingTable } from '../src/contracts/routing.js';
import { AppError } from '../src/errors/app-error.js';
import { readVariables, type Env } from './env.js';
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

type Path = readonly PropertyKey[];

/** A profile's file, parsed and validated. */
export interface ProfileSource {
  profile: Profile;
  /** @throws AppError `CONFIG_INVALID` that names the file, the line of what is wrong, and the reason */
  refuse(path: Path, reason: string): never;
}

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
    throw new AppError(
      'CONFIG_INVALID',
      `There is no profile "${profile}". Choose one of ${known.join(', ')}, or a file.`,
    );
  }
}

/** The line of a key of a document; where it has none, of what should hold it. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = document.getIn(path.slice(0, depth - 1), true);
    const key = path[depth - 1];
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** What a document says, as plain data; broken YAML is refused with its line. */
function toData(
  document: Document.Parsed,
  refuseAt: (line: number, reason: string) => never,
  lines: LineCounter,
): unknown {
  const broken = document.errors[0];
  if (broken) refuseAt(lines.linePos(broken.pos[0]).line, broken.message.split('\n')[0] ?? broken.code);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias without its anchor, or aliases that multiply.
    return refuseAt(1, error instanceof Error ? error.message : 'not valid YAML');
  }
}

/** Parses and validates a profile's text; errors name file, line and reason. */
export function parseProfile(text: string, file: string): ProfileSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const refuseAt = (line: number, reason: string): never => {
    throw new AppError('CONFIG_INVALID', `${file}:${line}: ${reason}`);
  };
  const refuse = (path: Path, reason: string): never => refuseAt(lineOf(document, lines, path), reason);
  const parsed = ProfileSchema.safeParse(toData(document, refuseAt, lines));
  if (parsed.success) return { profile: parsed.data, refuse };
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const culprit = issue?.code === 'unrecognized_keys' ? [...path, ...issue.keys.slice(0, 1)] : path;
  return refuse(culprit, `${path.join('.') || 'file'}: ${issue?.message ?? 'not valid'}`);
}

function toRules(source: ProfileSource, known: ReadonlySet<string>, auto: string[], warnings: string[]): RoutingRule[] {
  return source.profile.routing_rules.map((rule, index): RoutingRule => {
    const expand = (provider: string): string[] => (provider === AUTO ? auto : [provider]);
    if (rule.use_provider !== AUTO && !known.has(rule.use_provider)) {
      const reason = `rule "${rule.name}" uses the unknown provider "${rule.use_provider}"`;
      source.refuse(['routing_rules', index, 'use_provider'], reason);
    }
    const fallbacks = [rule.fallback_provider ?? []].flat().flatMap(expand);
    for (const missing of fallbacks.filter((name) => !known.has(name))) {
      warnings.push(`rule "${rule.name}": fallback_provider "${missing}" is not defined and is skipped`);
    }
    return {
      name: rule.name,
      priority: rule.priority,
      condition: {
        kind: 'all',
        of: Object.entries(rule.conditions).map(([key, value]) => ({ kind: 'equals', key, values: [value].flat() })),
      },
      use: { kind: 'chain', providers: expand(rule.use_provider) },
      fallbacks: fallbacks.filter((name) => known.has(name)),
      ...(rule.timeout_ms === undefined ? {} : { timeoutMs: rule.timeout_ms }),
    };
  });
}

/** Keys that a profile may have and that do nothing here. */
function idleKeys({ debug, logging }: Profile): string[] {
  return [
    ...(debug ? ['"debug: true" has no effect: set logging.level to debug'] : []),
    ...(logging.format === 'pretty' ? ['"logging.format: pretty" has no effect: the log is JSON lines'] : []),
  ];
}

/** Builds the running configuration from a validated profile and the environment. */
export function buildConfig(source: ProfileSource, env: Env, secrets = readVariables()): LoadedConfig {
  const { profile } = source;
  const offered = environmentProviders(env).filter(
    (one) => !profile.llm_providers.some((own) => own.name === one.name),
  );
  const configured = [...profile.llm_providers, ...offered].map((provider) =>
    configureProvider(provider, env, secrets),
  );
  const warnings = [...idleKeys(profile), ...configured.flatMap(({ warnings: own }) => own)];
  const names = new Set(configured.map(({ config }) => config.name));
  const auto = environmentProviders(env).map(({ name }) => name);
  const rules = toRules(source, names, auto, warnings).toSorted((a, b) => a.priority - b.priority);
  const providers = Object.fromEntries(configured.map(({ config, policy }) => [config.name, policy]));
  const hashed = { rules, answers: [], weights: {}, providers, requestTimeoutMs: profile.limits.request_timeout_ms };
  const hash = createHash('sha256').update(stableStringify(hashed)).digest('hex').slice(0, 16);
  return { profile, routing: { ...hashed, hash }, providers: configured.map(({ config }) => config), warnings };
}

/**
 * Loads the profile that the environment names.
 * @throws AppError `CONFIG_INVALID`
 */
export function loadConfig(env: Env, profile = env.DAGI_PROFILE): LoadedConfig {
  const file = profileFile(profile);
  return buildConfig(parseProfile(readProfileText(file, profile), file), env);
}
