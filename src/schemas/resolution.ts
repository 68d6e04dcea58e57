import { z } from 'zod';
import { daoNamed, id } from './common.js';

/** `GET|POST /rbac/resolve`: `user_id` is who is asked about. */
export const ResolveSchema = z.strictObject({
  dao_id: daoNamed.optional(),
  user_id: id
    .optional()
    .meta({ description: 'Who is asked about; absent: whom the key stands for.', example: 'tg:12345' }),
});
export type ResolveBody = z.infer<typeof ResolveSchema>;
