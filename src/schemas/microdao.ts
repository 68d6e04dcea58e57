import { z } from 'zod';
import { ActingQuerySchema } from './common.js';
import { afterEntry } from './daos.js';
import { STAGES } from '../contracts/proposal.js';
import { RoleNameSchema } from './roles.js';

/** Who asks is said in the body by a gateway key. */
const asked = {
  ...ActingQuerySchema.shape,
  limit: z.number().int().min(1).max(200).default(50).describe('Most entries of the answer.'),
  after: afterEntry,
};

/** `POST /microdao/query`, and what bots and tools ask. */
export const MicrodaoQuerySchema = z.discriminatedUnion('query_type', [
  z.strictObject({ query_type: z.literal('roles'), ...asked }),
  z.strictObject({ query_type: z.literal('members'), role: RoleNameSchema.optional(), ...asked }),
  z.strictObject({ query_type: z.literal('proposals'), stage: z.string().min(1).max(32).optional(), ...asked }),
]);
export type MicrodaoQueryBody = z.infer<typeof MicrodaoQuerySchema>;

/** The same for the API's description, where tools find each name without looking into alternatives. */
export const MicrodaoQueryOutline = z.strictObject({
  query_type: z
    .enum(['roles', 'members', 'proposals'])
    .meta({ description: 'What is asked for.', example: 'proposals' }),
  role: RoleNameSchema.optional().describe('With members only: those who have this role.'),
  stage: z.enum(STAGES).optional().describe('With proposals only: those at this stage. Absent: all of them.'),
  ...asked,
});
