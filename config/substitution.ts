import { type Complaints, type Path, type Position, RANKS } from './complaints.js';
import { plain, type Entry, type MapNode, type Node, type ScalarNode } from './nodes.js';

/** `$${` (a literal `${`), `${NAME}`, `${NAME:-default}`, or the beginning of something that is none of them.
 * A default holds no braces: they would make reading take quadratic time. */
const TOKEN = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{/g;

/** A profile is stored, shown and hashed, so nothing of these may get into it. */
const SECRET =
  /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|PAT|AUTH|CREDENTIALS?|DSN)$|(^|_)(REDIS_URL|DATABASE_(.*_)?URL)$/i;

/** An address with a password in it, whatever its variable is called. */
const WITH_PASSWORD = /\/\/[^\s/?#:@]*:[^\s/?#]*@/;

const REMEDY = 'write `${NAME}`, `${NAME:-default}`, or `$${` for the two characters themselves';

/** Puts variables into the text values of a profile. */
class Substitution {
  constructor(
    private readonly variables: NodeJS.ProcessEnv,
    private readonly keys: ReadonlySet<string>,
    private readonly complaints: Complaints,
  ) {}

  node(node: Node, path: Path): Node {
    switch (node.kind) {
      case 'scalar':
        return typeof node.value === 'string' ? this.text(node, node.value, path) : { ...node };
      case 'list':
        return { ...node, items: node.items.map((item, index) => this.node(item, [...path, index])) };
      case 'map':
        return this.map(node, path);
    }
  }

  private map(map: MapNode, path: Path): Node {
    const entries = [...map.entries].map(([key, { at, node }]): [string, Entry] => {
      if (key.includes('${')) this.complaints.add(at, path, 'variables are put into values, not into keys', RANKS.key);
      return [key, { at, node: this.node(node, [...path, key]) }];
    });
    return { ...map, entries: new Map(entries) };
  }

  private text(node: ScalarNode, text: string, path: Path): Node {
    if (!text.includes('${')) return { ...node };
    const value = text.replace(TOKEN, (token, name: string | undefined, fallback: string | undefined) =>
      token === '$${' ? '${' : this.variable(name, fallback, node.at, path),
    );
    if (WITH_PASSWORD.test(value)) {
      const reason = 'with its variables this is an address with a password in it, and a profile is stored and shown';
      this.complaints.add(node.at, path, `${reason}: use an address without one, and name a key with \`api_key_env\``);
    }
    const [first] = text.matchAll(TOKEN);
    const whole = first?.[0] === text && first[1] !== undefined;
    return { ...node, value, raw: text, whole };
  }

  private variable(name: string | undefined, fallback: string | undefined, at: Position, path: Path): string {
    if (name === undefined) {
      this.complaints.add(at, path, `\`\${\` begins no variable: ${REMEDY}`);
      return '';
    }
    if (SECRET.test(name) || this.keys.has(name)) {
      const reason = `${name} may hold a secret, and a profile is stored and shown: name it with \`api_key_env\`, or use another variable`;
      this.complaints.add(at, path, reason);
      return '';
    }
    const value = this.variables[name] ?? fallback;
    if (value === undefined) {
      this.complaints.add(at, path, `the variable ${name} is not set: set it, or write \`\${${name}:-default}\``);
    }
    return value ?? '';
  }
}

/** Variables that the profile itself says hold keys. */
function keysOf(root: Node): Set<string> {
  const { llm_providers: providers } = plain(root) as { llm_providers?: unknown };
  const configs = Array.isArray(providers)
    ? providers.map((one: { config?: { api_key_env?: unknown } } | null) => one?.config)
    : [];
  return new Set(configs.map((config) => config?.api_key_env).filter((name) => typeof name === 'string'));
}

/**
 * A copy of a profile with variables put in for `${NAME}` and `${NAME:-default}` in text values. A value is only ever
 * text, whatever it looks like; an empty variable counts as one that is not set.
 * @param complaints gets variables that are not set, that may hold secrets, and what looks like a variable and is none
 */
export function substitute(root: MapNode, variables: NodeJS.ProcessEnv, complaints: Complaints): Node {
  return new Substitution(variables, keysOf(root), complaints).node(root, []);
}
