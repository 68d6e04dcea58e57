import type { ProviderConfig } from '../src/contracts/provider-config.js';
import type { PoolPolicy } from '../src/contracts/request.js';
import type { ProfileProvider } from './profile-schema.js';
import { MOST_PER_OLLAMA } from './provider-schema.js';

const MAX_WAITING = 100;
const MAX_WAIT_MS = 30_000;

/** All names of this machine are one host: its Ollama is one, however it is called. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '0.0.0.0', '[::]']);

/** Host and port of an address. */
export function hostOf(address: string): string {
  const { protocol, hostname, port } = new URL(address);
  const host = hostname.replace(/\.$/, '');
  return `${LOOPBACK.has(host) ? '127.0.0.1' : host}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

/** A provider with what the profile says of it. */
export interface PoolMember {
  provider: ProfileProvider;
  config: ProviderConfig;
}

type Settings = ProfileProvider['config'];

const least = (values: readonly (number | undefined)[], otherwise: number): number =>
  Math.min(
    ...values.filter((value) => value !== undefined),
    ...(values.every((value) => value === undefined) ? [otherwise] : []),
  );

const poolOf = (name: string, slots: number, members: readonly Settings[]): PoolPolicy => ({
  name,
  slots,
  maxWaiting: least(
    members.map((one) => one.max_waiting),
    MAX_WAITING,
  ),
  maxWaitMs: least(
    members.map((one) => one.max_wait_ms),
    MAX_WAIT_MS,
  ),
});

/**
 * Pools of providers, by their names. All that reach one Ollama host share one, whatever protocol they speak; its slots
 * are the fewest that any of them names. Others have one of their own if they name `max_concurrent`.
 */
export function poolsOf(members: readonly PoolMember[]): ReadonlyMap<string, PoolPolicy> {
  const hosts = new Set(
    members.flatMap(({ config }) => (config.type === 'ollama' && config.baseUrl ? [hostOf(config.baseUrl)] : [])),
  );
  const hostPool = ({ baseUrl }: ProviderConfig): string | undefined => {
    const host = baseUrl === undefined ? undefined : hostOf(baseUrl);
    return host !== undefined && hosts.has(host) ? host : undefined;
  };
  const pools = new Map<string, PoolPolicy>();
  for (const { provider, config } of members) {
    const host = hostPool(config);
    if (host !== undefined) {
      const sharing = members.filter((one) => hostPool(one.config) === host).map((one) => one.provider.config);
      const slots = least(
        sharing.map((one) => one.max_concurrent),
        MOST_PER_OLLAMA,
      );
      pools.set(config.name, poolOf(`ollama:${host}`, Math.min(slots, MOST_PER_OLLAMA), sharing));
    } else if (provider.config.max_concurrent !== undefined) {
      pools.set(config.name, poolOf(`provider:${config.name}`, provider.config.max_concurrent, [provider.config]));
    }
  }
  return pools;
}
