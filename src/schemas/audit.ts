import { z } from 'zod';
import { ActingQuerySchema, id } from './common.js';

const limit = z.coerce.number().int().min(1).max(200).default(50);

/** `GET /audit`. */
export const AuditQuerySchema = ActingQuerySchema.extend({
  /** As `next` said before. */
  after: z
    .string()
    .regex(/^\d{0,15}$/, 'is not what next said')
    .transform(Number)
    .optional(),
  limit,
  action: id.optional(),
  /** As rows name them, or a member by the id of a platform. */
  actor: id.optional(),
});
export type AuditQuery = z.output<typeof AuditQuerySchema>;

/** `GET /audit/heads`. */
export const HeadsQuerySchema = ActingQuerySchema.extend({
  /** A day, as `next` said before. */
  after: z.iso.date().regex(/^2/, 'is no day of this millennium').optional(),
  limit,
});
export type HeadsQuery = z.output<typeof HeadsQuerySchema>;
