import type { Command } from 'commander';
import { z } from 'zod';
import type { ProviderInfo } from '../contracts/providers.js';
import { DagiClient } from './client.js';
import { findInstance } from './instance.js';
import { resolveEnv } from './options.js';
import { table } from './table.js';
import { understood } from './understood.js';

/** As much as is printed. */
type Printed = Omit<ProviderInfo, 'price'>;

const figure = z.number().nullable();
const ProviderSchema = z.looseObject({
  name: z.string(),
  type: z.string(),
  model: z.string().nullable(),
  state: z.enum(['ok', 'cooling', 'probing']),
  cooldown: z.looseObject({ until: z.string(), failures: z.number(), reason: z.string() }).nullable(),
  pool: z
    .looseObject({
      name: z.string(),
      slots: z.number(),
      running: z.number(),
      waiting: z.number(),
      expected_wait_ms: z.number(),
    })
    .nullable(),
  in_flight: z.number(),
  calls: z.number(),
  success_rate: figure,
  p50_ms: figure,
  p95_ms: figure,
}) satisfies z.ZodType<Printed>;
const ProvidersSchema = z.looseObject({ providers: z.array(ProviderSchema) });

const HEAD = [
  'provider',
  'model',
  'state',
  'in flight',
  'slots',
  'queue',
  'calls',
  'success',
  'p50',
  'p95',
  'cooldown',
];

export interface ProvidersOptions {
  dao?: string;
}

/** Adds `dagi providers`. */
export function addProvidersCommand(program: Command): void {
  program
    .command('providers')
    .description('state, queue, calls under way, and success and latency of the last hour, for each provider')
    .option('--dao <id>', 'look from this DAO (default: that of the key)')
    .option('--home <dir>', 'state folder of the instance (DAGI_HOME)')
    .action(async ({ home, ...options }: ProvidersOptions & { home?: string }) => {
      const client = new DagiClient(await findInstance(resolveEnv(home === undefined ? {} : { home })));
      process.stdout.write(await providers(client, options));
    });
}

/** `dagi providers`: a line for each. Calls, success and latency are of the last hour. */
export async function providers(client: DagiClient, { dao }: ProvidersOptions = {}): Promise<string> {
  const query = dao === undefined ? '' : `?${new URLSearchParams({ dao_id: dao }).toString()}`;
  const answer = understood(ProvidersSchema, await client.json('GET', `/providers${query}`));
  return table(HEAD, answer.providers.map(line));
}

const line = (one: Printed): string[] => [
  one.name,
  `${one.model ?? '?'} (${one.type})`,
  one.state,
  String(one.in_flight),
  one.pool ? `${one.pool.running} of ${one.pool.slots}` : '-',
  queue(one.pool),
  String(one.calls),
  one.success_rate === null ? '-' : `${(one.success_rate * 100).toFixed(1)} %`,
  duration(one.p50_ms),
  duration(one.p95_ms),
  cooldown(one),
];

/** How many wait, and how long one more would. */
function queue(pool: Printed['pool']): string {
  if (!pool) return '-';
  return pool.waiting === 0 ? '0' : `${pool.waiting} (${duration(pool.expected_wait_ms)})`;
}

function cooldown({ state, cooldown: resting }: Printed): string {
  if (!resting) return '';
  const until = state === 'cooling' ? `until ${resting.until.slice(11, 19)} UTC, ` : '';
  return `${until}${resting.failures} × ${resting.reason}`;
}

function duration(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
