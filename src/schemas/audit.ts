import { z } from 'zod';
import { ActingQuerySchema, id, pageLimit } from './common.js';

/** `GET /audit`. */
export const AuditQuerySchema = ActingQuerySchema.extend({
  /** As `next` said before. */
  after: z
    .string()
    .regex(/^\d{0,15}$/, 'is not what next said')
    .transform(Number)
    .optional()
    .describe('As next of the part before said.'),
  limit: pageLimit,
  action: id.optional().meta({ description: 'Only rows of this action.', example: 'key.created' }),
  /** As rows name them, or a member by the id of a platform. */
  actor: id.optional().describe('Only rows of whom the record, or a platform, knows by this id.'),
});
export type AuditQuery = z.output<typeof AuditQuerySchema>;

/** `GET /audit/heads`. */
export const HeadsQuerySchema = ActingQuerySchema.extend({
  /** A day, as `next` said before. */
  after: z.iso
    .date()
    .regex(/^2/, 'is no day of this millennium')
    .optional()
    .describe('A day, as next of the part before said.'),
  limit: pageLimit,
});
export type HeadsQuery = z.output<typeof HeadsQuerySchema>;
