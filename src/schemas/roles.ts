import { z } from 'zod';
import { ENTITLEMENTS } from '../contracts/access.js';
import { ActingQuerySchema } from './common.js';
import { PageQuerySchema } from './daos.js';

/** Name of a role, as an address has it. */
export const RoleNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'a role is named by 1 to 32 of a-z, 0-9, _ and -, beginning with a letter')
  .meta({ description: 'Name of the role.', example: 'member' });

/** The platform is never given by a role. */
const entitlement = z.enum(ENTITLEMENTS).exclude(['platform.admin']);

/** `GET /roles`. */
export const RolesQuerySchema = ActingQuerySchema.extend(PageQuerySchema.shape);
export type RolesQuery = z.infer<typeof RolesQuerySchema>;

/** `PUT /roles/:name`. */
export const PutRoleSchema = z.strictObject({
  /** All that the role gives from then on. */
  entitlements: z.array(entitlement).max(ENTITLEMENTS.length).describe('All that the role gives from then on.'),
  /** That the change is meant although the guard holds it: as its refusal named it. */
  confirm: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'confirm is what the refusal named: 16 hexadecimal digits')
    .optional()
    .describe('That the change is meant although the guard holds it: as its refusal named it.'),
});
export type PutRoleBody = z.infer<typeof PutRoleSchema>;
