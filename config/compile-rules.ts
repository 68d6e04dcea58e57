import type { KnownAnswer, ProviderChoice, RoutingRule } from '../src/contracts/routing.js';
import type { Path } from './complaints.js';
import type { ConditionsCompiler } from './compile-conditions.js';
import { hint } from './nearest.js';
import type { Profile, ProfileDefaultRule, ProfileRule } from './profile-schema.js';
import { AUTO, type ProviderNames } from './provider-names.js';
import type { ProfileSource } from './source.js';

/** The default rule comes after all others, whatever their priority. */
const LAST = Number.MAX_SAFE_INTEGER;

/** Compiles rules: names become providers, conditions a tree. What is wrong is told to the source. */
export class RulesCompiler {
  private readonly aliases: Readonly<Record<string, string>>;

  constructor(
    private readonly source: ProfileSource,
    private readonly names: ProviderNames,
    private readonly conditions: ConditionsCompiler,
  ) {
    this.aliases = source.profile.llm_aliases;
  }

  /** Rules in the order in which they are tried. */
  rules({ routing_rules: rules }: Profile): RoutingRule[] {
    const compiled = rules.map((rule, index): RoutingRule => {
      const path = ['routing_rules', index];
      const condition = this.conditions.compile(rule.conditions, [...path, 'conditions']);
      return { name: rule.name, priority: rule.priority, condition, ...this.action(rule, path) };
    });
    return compiled.toSorted((a, b) => a.priority - b.priority);
  }

  defaultRule({ default: rule }: Profile): RoutingRule | undefined {
    if (!rule) return undefined;
    return { name: rule.name, priority: LAST, condition: { kind: 'all', of: [] }, ...this.action(rule, ['default']) };
  }

  answers({ answers }: Profile): KnownAnswer[] {
    return answers.map(({ question, conditions }, index) => ({
      question,
      condition: this.conditions.compile(conditions, ['answers', index, 'conditions']),
    }));
  }

  /** Complains about aliases of nobody, whether or not a rule uses them. */
  checkAliases(): void {
    for (const [alias, provider] of Object.entries(this.aliases)) this.provider(provider, ['llm_aliases', alias]);
  }

  private action(
    rule: ProfileRule | ProfileDefaultRule,
    path: Path,
  ): Omit<RoutingRule, 'name' | 'priority' | 'condition'> {
    const { timeout_ms: timeoutMs, cache } = rule;
    return {
      use: this.choice(rule, path),
      fallbacks: this.fallbacks(rule, [...path, 'fallback_provider']),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(cache === undefined ? {} : { cache: { ttlMs: cache.ttl_s * 1_000, maxEntries: cache.max_entries } }),
    };
  }

  private choice(rule: ProfileRule | ProfileDefaultRule, path: Path): ProviderChoice {
    const { use_provider: provider, use_llm: alias, use_metadata: key, allow = [] } = rule;
    if (key !== undefined) {
      const allowed = allow.flatMap((name, index) => this.provider(name, [...path, 'allow', index]));
      return { kind: 'metadata', key, allow: [...new Set(allowed)] };
    }
    if (alias !== undefined) return { kind: 'chain', providers: this.alias(alias, [...path, 'use_llm']) };
    if (provider === AUTO) return { kind: 'chain', providers: this.names.auto };
    return { kind: 'chain', providers: this.provider(provider ?? '', [...path, 'use_provider']) };
  }

  private provider(name: string, path: Path): string[] {
    const found = this.names.find(name);
    if (found !== undefined) return [found];
    this.source.complain(path, `unknown provider ${this.source.shown(path, name)}; ${this.names.remedy(name)}`);
    return [];
  }

  private alias(alias: string, path: Path): string[] {
    if (!Object.hasOwn(this.aliases, alias)) {
      const known = Object.keys(this.aliases);
      const remedy =
        hint(alias, known) || (known.length === 0 ? '; define it there' : `; there is ${known.join(', ')}`);
      this.source.complain(path, `${this.source.shown(path, alias)} is no name of llm_aliases${remedy}`);
      return [];
    }
    // An alias of nobody was complained about where it stands.
    const found = this.names.find(this.aliases[alias] ?? '');
    return found === undefined ? [] : [found];
  }

  /** Providers to go on with. One that is not there is skipped with a warning: its key may come later. */
  private fallbacks({ fallback_provider: named = [] }: ProfileRule | ProfileDefaultRule, path: Path): string[] {
    const found = [named].flat().flatMap((name, index) => {
      if (name === AUTO) return this.names.auto;
      const provider = this.names.find(name);
      if (provider !== undefined) return [provider];
      const at = Array.isArray(named) ? [...path, index] : path;
      const remedy = this.names.remedy(name);
      this.source.warn(at, `${this.source.shown(at, name)} is not defined and is skipped: ${remedy}`);
      return [];
    });
    return [...new Set(found)];
  }
}
