import { z } from 'zod';
import { ActingQuerySchema } from './common.js';

/** What usage can be told by. */
export const USAGE_GROUPS = ['day', 'provider', 'key', 'dao'] as const;

/** A day at UTC; of this millennium, since a database knows no year 0. */
const day = z.iso
  .date({ error: 'is no day, such as 2026-11-01', abort: true })
  .regex(/^2/, 'is no day of this millennium');

/** `GET /usage`. */
export const UsageQuerySchema = ActingQuerySchema.extend({
  /** Both ends included. Absent: 30 days that end with `to`. */
  from: day
    .optional()
    .meta({ description: 'The first day, at UTC; absent: 30 days before to.', example: '2026-11-01' }),
  /** Absent: today. */
  to: day.optional().meta({ description: 'The last day, at UTC; absent: today.', example: '2026-11-30' }),
  /** Absent: `day` for one DAO, `dao` for all of them. */
  by: z.enum(USAGE_GROUPS).optional().describe('What rows stand for; absent: day for one DAO, dao for all of them.'),
});
export type UsageQuery = z.infer<typeof UsageQuerySchema>;
