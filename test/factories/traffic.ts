import fc from 'fast-check';
import type { DecisionInputs } from '../../src/contracts/request.js';
import type { RoutingTable } from '../../src/contracts/routing.js';
import type { RecordedDecision } from '../../src/contracts/whatif.js';
import { decide } from '../../src/domain/decide.js';
import {
  aPolicy,
  aRule,
  aTable,
  all,
  anAccess,
  anInput,
  any,
  chain,
  has,
  is,
  length,
  matches,
  named,
  not,
} from './routing.js';

/** A table as a network of DAOs would have it: every part of the language is used. */
export const BASE: RoutingTable = aTable(
  [
    {
      name: 'legal',
      priority: 10,
      condition: all(is('task_type', 'legal', 'finance'), has('proposal_id'), not(is('source', 'discord'))),
      use: chain('strong'),
      fallbacks: ['hosted'],
      timeoutMs: 30_000,
    },
    {
      name: 'chosen',
      priority: 20,
      condition: all(is('role', 'admin', 'contributor'), not(is('dao_id', 'other-dao'))),
      use: named('provider', 'strong', 'hosted'),
      fallbacks: ['local'],
    },
    {
      name: 'facts',
      priority: 30,
      condition: matches('(?i)\\b(when|where|who)\\b'),
      use: chain('local'),
      fallbacks: ['hosted'],
      timeoutMs: 10_000,
      cache: { ttlMs: 600_000, maxEntries: 100 },
    },
    {
      name: 'long',
      priority: 40,
      condition: any(length({ min: 400 }), is('task_type', 'summary')),
      use: chain('hosted'),
      fallbacks: ['strong'],
    },
    {
      name: 'other-dao',
      priority: 50,
      condition: all(is('dao_id', 'other-dao'), is('source', 'telegram', 'discord')),
      use: chain('local'),
      fallbacks: [],
    },
    {
      name: 'chat',
      priority: 100,
      condition: is('source', 'telegram', 'discord'),
      use: chain('local'),
      fallbacks: ['hosted'],
    },
  ].map(aRule),
  {
    providers: {
      local: aPolicy({
        queue: 'llm-ollama',
        shape: 'queue',
        pool: { name: 'gpu', slots: 3, maxWaiting: 50, maxWaitMs: 60_000 },
      }),
      hosted: aPolicy({ timeoutMs: 20_000, price: { prompt: 0.3, completion: 1.2 } }),
      strong: aPolicy({ maxTokens: 800, price: { prompt: 3, completion: 12 } }),
    },
    answers: [
      { question: 'help', condition: matches('(?i)^\\W*(help|/help)\\b') },
      { question: 'roles', condition: matches('(?i)\\bmy roles?\\b') },
    ],
    weights: { 'greenfood-dao': 2 },
    hash: 'base',
  },
);

/** One request of the traffic, chosen by nine numbers from 0 to 1. */
function inputsOf(pick: <T>(values: readonly T[]) => T): DecisionInputs {
  const daoId = pick(['greenfood-dao', 'greenfood-dao', 'greenfood-dao', 'other-dao']);
  const taskType = pick([undefined, undefined, undefined, 'legal', 'finance', 'summary', 'poem']);
  const provider = pick([undefined, undefined, 'strong', 'hosted', 'local']);
  return anInput({
    prompt: pick([
      'Write an invitation to the harvest supper',
      'When is the next vote?',
      'Who keeps the seed library?',
      'help',
      'What are my roles?',
      `Summarise this: ${'words and '.repeat(60)}`,
    ]),
    mode: pick(['chat', 'chat', 'chat', 'chat', 'chat', 'chat', 'chat', 'crew', 'devtools'] as const),
    source: pick(['telegram', 'telegram', 'discord', 'api']),
    metadata: {
      ...(taskType === undefined ? {} : { task_type: taskType }),
      ...(provider === undefined ? {} : { provider }),
      ...(pick([true, false]) ? { proposal_id: 12 } : {}),
    },
    access: anAccess([pick(['member', 'member', 'contributor', 'admin', 'guest'])], {
      dao: { id: daoId, name: 'A DAO' },
    }),
  });
}

/** A request, for properties. */
export const anyTraffic: fc.Arbitrary<DecisionInputs> = fc
  .array(fc.nat(1_000), { minLength: 9, maxLength: 9 })
  .map((numbers) => {
    let at = 0;
    return inputsOf((values) => values[(numbers[at++] ?? 0) % values.length] as never);
  });

/** The same traffic every time, of every kind in the shares in which they are listed. */
export function traffic(requests: number, seed = 1): DecisionInputs[] {
  // mulberry32: small, and good enough that one choice says nothing about the next.
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: requests }, () => inputsOf(pick));
}

/** A request as it was decided and recorded; those with a higher index are newer. */
export function aRecord(table: RoutingTable, inputs: DecisionInputs, index: number): RecordedDecision {
  const result = decide(table, inputs);
  return {
    id: `request-${index}`,
    daoId: inputs.access.dao.id,
    at: new Date(Date.UTC(2026, 0, 1) + index * 1_000),
    inputs,
    was: result.allowed ? result : { allowed: false, code: result.code },
  };
}
