import type { CallerKey } from '../contracts/access.js';
import type { Admission, PoolInfo } from '../contracts/admission.js';
import type { ProviderInfo } from '../contracts/providers.js';
import type { ProviderPolicy } from '../contracts/request.js';
import type { ProviderFigures } from '../contracts/whatif.js';
import type { LlmRegistry, ProviderDescription } from '../adapters/llm/registry.js';
import type { ProviderFiguresRepository, RecentCalls } from '../adapters/store/provider-figures.repository.js';
import type { AccessService, Named } from './access.service.js';
import type { CooldownInfo, ProviderStatesService } from './provider-states.service.js';

/** The time of which figures are told, in milliseconds. */
const RECENT_MS = 3_600_000;

/** What of a provider routing knows: its pool and its price. */
type Policies = Readonly<Record<string, Pick<ProviderPolicy, 'pool' | 'price'>>>;

/** What is known of one provider, from everywhere. */
interface Known {
  description: ProviderDescription;
  policy: Policies[string] | undefined;
  poolName: string | undefined;
  cooldown: CooldownInfo;
  pool: PoolInfo | undefined;
  inFlight: number;
  recent: RecentCalls | undefined;
}

/** How the providers do: for those who run the installation, and for those who plan with it. */
export class ProvidersService {
  constructor(
    private readonly registry: Pick<LlmRegistry, 'describe'>,
    private readonly states: Pick<ProviderStatesService, 'describe'>,
    private readonly admission: Pick<Admission, 'pools'>,
    private readonly recorded: ProviderFiguresRepository,
    private readonly access: AccessService,
    /** Of the configuration that is active now. */
    private readonly policies: () => Policies,
  ) {}

  /**
   * State of every configured provider, in the order of the configuration. Calls are counted over what the caller may
   * see: those of their DAO, or of all; slots, queue and cooldown are everybody's.
   * @throws AppError `RBAC_PERMISSION_DENIED` to whoever lacks `ops.read`, `STORE_UNAVAILABLE`
   */
  async list(caller: CallerKey, named: Named): Promise<ProviderInfo[]> {
    const { sees } = await this.access.requireAnywhere(caller, named, 'ops.read');
    const [descriptions, pools, inFlight, recent] = await Promise.all([
      this.registry.describe(),
      this.admission.pools(),
      this.recorded.inFlight(sees),
      this.recorded.recent(sees, new Date(Date.now() - RECENT_MS)),
    ]);
    const policies = this.policies();
    const poolNames = poolNamesOf(descriptions, policies);
    return Promise.all(
      descriptions.map(async (description) => {
        const { name } = description;
        const policy = policies[name];
        return toInfo({
          description,
          policy,
          poolName: poolNames.get(policy?.pool?.name),
          cooldown: await this.states.describe(name),
          pool: pools.find((pool) => pool.name === policy?.pool?.name),
          inFlight: inFlight.get(name) ?? 0,
          recent: recent.find(({ provider }) => provider === name),
        });
      }),
    );
  }

  /**
   * What answers took and used since a moment, by provider.
   * @throws AppError `STORE_UNAVAILABLE`
   */
  figures(since: Date): Promise<ProviderFigures[]> {
    return this.recorded.figures(since);
  }
}

const toInfo = ({ description, policy, poolName, cooldown, pool, inFlight, recent }: Known): ProviderInfo => ({
  ...description,
  ...cooldown,
  pool: poolOf(policy, poolName, pool),
  in_flight: inFlight,
  calls: recent?.calls ?? 0,
  success_rate: recent && recent.calls > 0 ? rounded(recent.answered / recent.calls, 4) : null,
  p50_ms: wholeMs(recent?.p50Ms),
  p95_ms: wholeMs(recent?.p95Ms),
  price: policy?.price ?? null,
});

/**
 * What a pool is called where people look: as the first of its providers. Its own name may be the address of a host.
 */
function poolNamesOf(
  descriptions: readonly ProviderDescription[],
  policies: Policies,
): Map<string | undefined, string> {
  const names = new Map<string | undefined, string>();
  for (const { name } of descriptions) {
    const pool = policies[name]?.pool?.name;
    if (pool !== undefined && !names.has(pool)) names.set(pool, name);
  }
  return names;
}

/** A pool that nobody has called yet is unknown to admission, and idle. */
function poolOf(policy: Known['policy'], name: string | undefined, info: PoolInfo | undefined): ProviderInfo['pool'] {
  if (!policy?.pool || name === undefined) return null;
  const { running = 0, waiting = 0, expectedWaitMs = 0 } = info ?? {};
  return { name, slots: policy.pool.slots, running, waiting, expected_wait_ms: Math.round(expectedWaitMs) };
}

const wholeMs = (ms: number | null | undefined): number | null => (typeof ms === 'number' ? Math.round(ms) : null);

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
