import { z } from 'zod';

const expected = z.looseObject({ p50_ms: z.number(), cost_usd: z.number().nullable() }).nullable();

/** A report of recorded requests under another table, as far as it is printed. */
export const ReportSchema = z.looseObject({
  hash: z.string(),
  requests: z.number(),
  unchanged: z.number(),
  changed: z.number(),
  newly_allowed: z.number(),
  newly_denied: z.number(),
  undecidable: z.number(),
  groups: z.array(
    z.looseObject({
      from: z.string(),
      to: z.string(),
      rule: z.looseObject({ from: z.string().nullable(), to: z.string().nullable() }),
      requests: z.number(),
      examples: z.array(z.string()),
      expected: z.looseObject({ from: expected, to: expected }),
    }),
  ),
  took_ms: z.number(),
});
export type Report = z.infer<typeof ReportSchema>;

/** The answer of `POST /routing/whatif`. */
export const WhatIfAnswerSchema = ReportSchema.extend({
  trials: z.array(
    z.looseObject({
      request_id: z.string(),
      dao_id: z.string(),
      provider: z.string(),
      runnable: z.boolean(),
      is_new: z.boolean(),
    }),
  ),
});
export type WhatIfAnswer = z.infer<typeof WhatIfAnswerSchema>;
export type TrialOffer = WhatIfAnswer['trials'][number];

/** The answer of `GET /config` and of what changes it. */
export const ConfigStateSchema = z.looseObject({
  active: z.looseObject({ hash: z.string(), table_hash: z.string(), since: z.string(), file: z.string() }),
  waiting: z
    .looseObject({ hash: z.string(), since: z.string(), reasons: z.array(z.string()), report: ReportSchema })
    .nullable(),
  refused: z.looseObject({ at: z.string(), reason: z.string() }).nullable(),
  unchecked: z.boolean(),
  reloads: z.looseObject({ applied: z.number(), refused: z.number(), held: z.number(), unchanged: z.number() }),
  warnings: z.array(z.string()),
});
export type State = z.infer<typeof ConfigStateSchema>;
