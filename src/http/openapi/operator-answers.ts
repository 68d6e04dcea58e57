import { z } from 'zod';

/** What operators and administrators are answered; for the description alone. */

const ok = z.literal(true);
const next = z.string().nullable();
const moment = z.string().meta({ format: 'date-time' });
const anything = z.looseObject({});

const row = z.object({
  seq: z.number(),
  entry: z.string().describe('The text that was hashed.'),
  hash: z.string(),
  at: moment,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: anything,
  actor_ids: z.array(z.string()),
  subject_ids: z.array(z.string()),
});
const head = z.object({
  chain: z.string(),
  day: z.string(),
  seq: z.number(),
  hash: z.string(),
  at: moment,
  key_id: z.string(),
  signature: z.string().describe('Ed25519, base64.'),
});
const figures = z.object({
  requests: z.number(),
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
  cost_usd: z.number().nullable(),
});
const provider = z.object({
  name: z.string(),
  type: z.string(),
  model: z.string().nullable(),
  state: z.enum(['ok', 'cooling', 'probing']),
  cooldown: anything.nullable(),
  pool: anything.nullable(),
  in_flight: z.number(),
  calls: z.number(),
  success_rate: z.number().nullable(),
  p50_ms: z.number().nullable(),
  p95_ms: z.number().nullable(),
  price: anything.nullable(),
});

/** Answers that no member and no tool is likely to ask for. */
export const OPERATORS = {
  AuditPage: z.object({ ok, rows: z.array(row), next }),
  HeadPage: z.object({ ok, heads: z.array(head), next, holds: z.boolean(), now: head.nullable() }),
  Signing: z.object({
    ok,
    day: z.string(),
    signed: z.number(),
    published: z.number(),
    broken: z.array(z.string()),
  }),
  PublicKeys: z.object({
    ok,
    key_id: z.string().nullable(),
    keys: z.array(z.object({ key_id: z.string(), public_key: z.string() })),
  }),
  Config: z.object({
    ok,
    active: anything,
    waiting: anything.nullable(),
    refused: anything.nullable(),
    unchecked: z.boolean(),
    reloads: z.record(z.string(), z.number()),
    warnings: z.array(z.string()),
  }),
  Events: z.string().describe('Server-sent events: route, queue, attempt, token, done, error; see docs/api.md.'),
  Providers: z.object({ ok, providers: z.array(provider) }),
  Routing: z.looseObject({ ok }),
  Explanation: z.looseObject({ ok }),
  Usage: z.object({
    ok,
    dao_id: z.string().nullable(),
    from: z.string(),
    to: z.string(),
    by: z.string(),
    totals: figures,
    rows: z.array(figures.loose()),
  }),
  WhatIf: z.looseObject({
    ok,
    hash: z.string(),
    requests: z.number(),
    unchanged: z.number(),
    changed: z.number(),
    groups: z.array(anything),
    trials: z.array(anything),
  }),
  Trial: z.object({ ok, request_id: z.string() }),
};
