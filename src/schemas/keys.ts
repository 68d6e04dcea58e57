import { z } from 'zod';
import { ENTITLEMENTS } from '../contracts/access.js';
import { storable } from '../contracts/text.js';
import { ActingQuerySchema, id, ourId } from './common.js';
import { PageQuerySchema } from './daos.js';

/** A key in a path. */
export const KeyIdSchema = ourId.describe('Id of the key, as listKeys tells it.');

/** `GET /keys`. */
export const KeysQuerySchema = ActingQuerySchema.extend(PageQuerySchema.shape);
export type KeysQuery = z.infer<typeof KeysQuerySchema>;

/** `POST /keys`. */
export const NewKeySchema = z.strictObject({
  name: z.string().min(1).max(100).transform(storable).meta({ description: 'What the key is for.', example: 'dify' }),
  dao_id: id.optional().meta({
    description: 'The only DAO that the key opens; absent: all of them, which only the administrator may give.',
    example: 'greenfood-dao',
  }),
  principal: id.optional().meta({
    description: 'Whom the key stands for; absent: a gateway key, which may name the user that it calls for.',
    example: 'tg:12345',
  }),
  scopes: z
    .array(z.enum(ENTITLEMENTS))
    .min(1)
    .max(ENTITLEMENTS.length)
    .optional()
    .describe('What the key lets through at most; absent: as much as the key that makes it.'),
});
export type NewKeyBody = z.infer<typeof NewKeySchema>;

/** A week. */
const LONGEST_OVERLAP_S = 604_800;

/** Where a key is rotated. Whoever is named could be another than who gets the new key, so nobody is. */
export const RotateQuerySchema = ActingQuerySchema.omit({ user_id: true });
export type RotateQuery = z.infer<typeof RotateQuerySchema>;

/** `POST /keys/:id/rotate`. */
export const RotateKeySchema = z.strictObject({
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(LONGEST_OVERLAP_S)
    .default(86_400)
    .describe('For how long the former key works on, in seconds.'),
});
export type RotateKeyBody = z.infer<typeof RotateKeySchema>;
