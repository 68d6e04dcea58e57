import { z } from 'zod';

export const milliseconds = z.number().int().min(1).max(3_600_000);
const amount = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Limits of each key and of each DAO; off where nothing is said. */
const perKeyAndDao = (what: string) =>
  z
    .strictObject({
      key: amount.optional().describe('Of each API key.'),
      dao: amount.optional().describe('Of each DAO.'),
    })
    .optional()
    .describe(what);

const share = z.number().min(0).max(1);
const hours = z.number().min(0).max(720);

const ProposalFloorsSchema = z
  .strictObject({
    voting_hours: hours.optional().describe('How long ballots may be cast at least, in hours.'),
    quorum: share.optional().describe('Least share of all weight that must take part, from 0 to 1.'),
    threshold: share.optional().describe('Least share of yes among yes and no that must be exceeded, from 0 to 1.'),
    veto_hours: hours.optional().describe('How long an admin can veto what has passed at least, in hours.'),
  })
  .optional()
  .describe('What no settings of a DAO go below in a proposal that opens.');

export const LimitsSchema = z
  .strictObject({
    request_timeout_ms: milliseconds
      .default(120_000)
      .describe('Deadline of a request in every phase, in milliseconds.'),
    session_tokens: z
      .number()
      .int()
      .min(0)
      .default(1_000)
      .describe('Most tokens of earlier turns that go to the model with a prompt.'),
    head_start: z
      .boolean()
      .default(true)
      .describe('Whether a call to a model begins beside the durable start of its request.'),
    requests_per_minute: perKeyAndDao('Most requests of a minute. Off where nothing is said.'),
    tokens_per_month: perKeyAndDao('Most tokens of a calendar month (UTC). Off where nothing is said.'),
    open_crew_runs: z
      .strictObject({
        person: amount.default(20).describe('Started by one person.'),
        dao: amount.default(200).describe('Of each DAO.'),
      })
      .prefault({})
      .describe('Most runs of crews that are open at once, waiting ones too.'),
    proposals: ProposalFloorsSchema,
  })
  .prefault({})
  .describe('Deadlines, rates and budgets.');

const DaoSchema = z.strictObject({
  weight: z.number().min(0.01).max(100).optional().describe('Share of the DAO in a busy provider; others have 1.'),
  requests_per_minute: amount.optional().describe('In place of limits.requests_per_minute.dao.'),
  tokens_per_month: amount.optional().describe('In place of limits.tokens_per_month.dao.'),
});

export const DaosSchema = z
  .record(z.string().min(1).max(256, 'an id of a DAO has at most 256 characters'), DaoSchema)
  .default({})
  .describe('What holds for single DAOs, by their ids.');

export const GuardSchema = z
  .strictObject({
    enabled: z.boolean().optional().describe('Off in development and on elsewhere, unless said.'),
    requests: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(1_000)
      .describe('How many of the last requests are decided under a new profile before it is used.'),
    max_changed_share: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('Share of them that may go another way, from 0 to 1, before the profile waits to be confirmed.'),
  })
  .prefault({})
  .describe('When a changed profile waits to be confirmed.');

export const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type Level = (typeof LEVELS)[number];
const CAPITALS = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const;

export const LoggingSchema = z
  .strictObject({
    level: z
      .enum([...LEVELS, ...CAPITALS])
      .transform((level) => level.toLowerCase() as Level)
      .describe('Least grave lines that are written; DAGI_LOG_LEVEL goes before it.'),
    format: z.literal('json').describe('Lines are JSON; there is nothing else.'),
    rotation: z
      .strictObject({
        max_size_mb: z.number().gt(0).max(100_000).describe('Size at which a new file begins, in megabytes.'),
        max_files: z
          .number()
          .int()
          .min(1)
          .max(1_000)
          .describe('How many files there are at most, with the present one.'),
      })
      .partial()
      .describe('Of the file that `dagi up` writes. Other processes log to standard output.'),
  })
  .partial()
  .default({})
  .describe('The log.');
