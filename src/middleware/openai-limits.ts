/** One limit, as the `ratelimit` headers tell it. */
interface Limit {
  unit: 'requests' | 'tokens';
  quota: number;
  remaining: number;
  resetSeconds: number;
}

/** Members of a structured list, as `src/domain/limits.ts` writes them: a quoted name, then parameters. */
const MEMBER = /^"([^"]+)"((?:;[a-z]+=[^;]+)*)$/;

function membersOf(header: string | undefined): Map<string, Map<string, string>> {
  const members = (header ?? '').split(', ').flatMap((text): [string, Map<string, string>][] => {
    const [, name, parameters] = MEMBER.exec(text) ?? [];
    if (name === undefined || parameters === undefined) return [];
    const pairs = parameters.split(';').slice(1);
    return [
      [name, new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))],
    ];
  });
  return new Map(members);
}

function limitsIn(headers: Readonly<Record<string, string>>): Limit[] {
  const policies = membersOf(headers['ratelimit-policy']);
  return [...membersOf(headers.ratelimit)].flatMap(([name, left]) => {
    const policy = policies.get(name);
    if (!policy) return [];
    const unit = policy.get('qu') === '"tokens"' ? 'tokens' : 'requests';
    return [
      { unit, quota: Number(policy.get('q')), remaining: Number(left.get('r')), resetSeconds: Number(left.get('t')) },
    ];
  });
}

/** The same limits under the names that clients of OpenAI know; of several of a kind, the one of which least is left. */
export function openAiLimits(headers: Readonly<Record<string, string>>): Record<string, string> {
  const limits = limitsIn(headers);
  const told = (['requests', 'tokens'] as const).flatMap((unit): [string, string][] => {
    const [least] = limits.filter((limit) => limit.unit === unit).toSorted((a, b) => a.remaining - b.remaining);
    if (!least) return [];
    return [
      [`x-ratelimit-limit-${unit}`, String(least.quota)],
      [`x-ratelimit-remaining-${unit}`, String(least.remaining)],
      [`x-ratelimit-reset-${unit}`, `${least.resetSeconds}s`],
    ];
  });
  return Object.fromEntries(told);
}
