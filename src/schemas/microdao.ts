import { z } from 'zod';
import { storable } from '../contracts/text.js';
import { id } from './common.js';
import { RoleNameSchema } from './roles.js';

const asked = {
  dao_id: id.optional(),
  /** Who asks, where a gateway key says so. */
  user_id: id.optional(),
  limit: z.number().int().min(1).max(200).default(50),
  after: z.string().max(256).transform(storable).default(''),
};

/** `POST /microdao/query`, and what bots and tools ask. */
export const MicrodaoQuerySchema = z.discriminatedUnion('query_type', [
  z.strictObject({ query_type: z.literal('roles'), ...asked }),
  z.strictObject({ query_type: z.literal('members'), role: RoleNameSchema.optional(), ...asked }),
  z.strictObject({ query_type: z.literal('proposals'), stage: z.string().min(1).max(32).optional(), ...asked }),
]);
export type MicrodaoQueryBody = z.infer<typeof MicrodaoQuerySchema>;
