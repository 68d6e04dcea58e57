import type { Env } from './env.js';
import { nearest } from './nearest.js';
import type { ProfileProvider } from './profile-schema.js';
import { environmentProviders } from './providers.js';

/** The pseudo-provider that stands for whatever the environment offers. */
export const AUTO = 'auto';

/** Other names of what the environment offers, as older profiles have them. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['llm_remote_openai', 'openai'],
  ['llm_remote_deepseek', 'deepseek'],
]);

/** The variable that makes the environment offer a provider. */
const OFFERED_BY: Readonly<Record<string, string>> = {
  ollama: 'OLLAMA_BASE_URL',
  openai: 'OPENAI_API_KEY',
  deepseek: 'DEEPSEEK_API_KEY',
};

/** Which names of providers mean something under a profile in an environment. */
export class ProviderNames {
  /** What `auto` stands for, in order. */
  readonly auto: readonly string[];
  private readonly known: ReadonlySet<string>;

  constructor(own: readonly ProfileProvider[], env: Env) {
    this.auto = environmentProviders(env).map(({ name }) => name);
    this.known = new Set([...own.map(({ name }) => name), ...this.auto]);
  }

  /** The provider of a name; undefined if there is none. */
  find(name: string): string | undefined {
    if (this.known.has(name)) return name;
    const other = OTHER_NAMES.get(name);
    return other !== undefined && this.auto.includes(other) ? other : undefined;
  }

  /** What to do about a name that means nothing. */
  remedy(name: string): string {
    const variable = OFFERED_BY[OTHER_NAMES.get(name) ?? name];
    if (variable !== undefined) return `set ${variable}, or define it under llm_providers`;
    const meant = nearest(name, [...this.known, AUTO, ...Object.keys(OFFERED_BY)]);
    if (meant === undefined) return 'define it under llm_providers';
    const condition = this.known.has(meant) || meant === AUTO ? '' : ` It is there once ${OFFERED_BY[meant]} is set.`;
    return `did you mean \`${meant}\`?${condition}`;
  }
}
