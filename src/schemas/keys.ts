import { z } from 'zod';
import { ENTITLEMENTS } from '../contracts/access.js';
import { storable } from '../contracts/text.js';
import { ActingQuerySchema, id } from './common.js';
import { PageQuerySchema } from './daos.js';

/** `GET /keys`. */
export const KeysQuerySchema = ActingQuerySchema.extend(PageQuerySchema.shape);
export type KeysQuery = z.infer<typeof KeysQuerySchema>;

/** `POST /keys`. */
export const NewKeySchema = z.strictObject({
  name: z.string().min(1).max(100).transform(storable),
  /** Absent: all DAOs, which only the platform's administrator may give. */
  dao_id: id.optional(),
  /** Absent: a gateway key, which may name the user it calls for. */
  principal: id.optional(),
  /** What the key lets through at most. Absent: as much as the key that makes it. */
  scopes: z.array(z.enum(ENTITLEMENTS)).min(1).max(ENTITLEMENTS.length).optional(),
});
export type NewKeyBody = z.infer<typeof NewKeySchema>;

/** A week. */
const LONGEST_OVERLAP_S = 604_800;

/** Where a key is rotated. Whoever is named could be another than who gets the new key, so nobody is. */
export const RotateQuerySchema = ActingQuerySchema.omit({ user_id: true });
export type RotateQuery = z.infer<typeof RotateQuerySchema>;

/** `POST /keys/:id/rotate`. */
export const RotateKeySchema = z.strictObject({
  /** For how long the former key works on, in seconds. */
  overlap_seconds: z.number().int().min(0).max(LONGEST_OVERLAP_S).default(86_400),
});
export type RotateKeyBody = z.infer<typeof RotateKeySchema>;
