import { z } from 'zod';
import { id } from './common.js';

/** `GET|POST /rbac/resolve`: `user_id` is who is asked about. */
export const ResolveSchema = z.strictObject({ dao_id: id.optional(), user_id: id.optional() });
export type ResolveBody = z.infer<typeof ResolveSchema>;
