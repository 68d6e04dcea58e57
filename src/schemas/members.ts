import { z } from 'zod';
import { storable } from '../contracts/text.js';
import { id, personId } from './common.js';
import { nameOf, PageQuerySchema } from './daos.js';

const MOST_ROLES = 20;
const roleNames = z
  .array(z.string().min(1).max(64).transform(storable))
  .min(1)
  .max(MOST_ROLES)
  .transform((names) => [...new Set(names)]);

/** A member in a path: its id, or `me` for whoever acts. */
export const MemberRefSchema = z.string().max(64).transform(storable);

/** `GET /daos/:id/members`. */
export const MembersQuerySchema = PageQuerySchema.extend({
  role: z.string().max(64).transform(storable).optional(),
  user_id: id.optional(),
});
export type MembersQuery = z.output<typeof MembersQuerySchema>;

/** Query of `DELETE /daos/:id/members`: the user, as the object, unless the body has it. */
export const UserQuerySchema = z.strictObject({ user_id: id.optional() });
export type UserQuery = z.output<typeof UserQuerySchema>;

/** Its body, if it has one. */
export const UserBodySchema = z.strictObject({ user_id: id.optional() }).nullish();
export type UserBody = z.output<typeof UserBodySchema>;

/** `POST /daos/:id/members`. */
export const NewMemberSchema = z.strictObject({ user_id: personId, roles: roleNames, name: nameOf.optional() });
export type NewMemberBody = z.output<typeof NewMemberSchema>;

/** `PATCH /daos/:id/members/:member`; a name that is null is taken away. */
export const MemberChangesSchema = z
  .strictObject({ roles: roleNames, name: nameOf.nullable() })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'names nothing to change');
export type MemberChangesBody = z.output<typeof MemberChangesSchema>;

/** `POST /daos/:id/members/:member/ids`. */
export const NewIdSchema = z.strictObject({ user_id: personId });
export type NewIdBody = z.output<typeof NewIdSchema>;

const MOST_HOURS = 24 * 90;

/** `POST /daos/:id/invitations`. With a user_id only that user can take it, and needs no secret. */
export const NewInvitationSchema = z
  .strictObject({
    roles: roleNames,
    user_id: personId.optional(),
    uses: z.int().min(1).max(1_000).default(1),
    expires_in_hours: z.number().gt(0).max(MOST_HOURS).default(168),
  })
  .refine(({ user_id, uses }) => user_id === undefined || uses === 1, {
    path: ['uses'],
    message: 'is 1 for a named user',
  });
export type NewInvitationBody = z.output<typeof NewInvitationSchema>;

/** `POST /invitations/redeem`: a secret, or a DAO that has invited the actor by name. */
export const RedeemSchema = z
  .strictObject({
    secret: z.string().min(1).max(256).transform(storable).optional(),
    dao_id: id.optional(),
    /** The actor, for a gateway key. */
    user_id: personId.optional(),
  })
  .refine(({ secret, dao_id }) => (secret === undefined) !== (dao_id === undefined), {
    message: 'needs either a secret or a dao_id',
  });
export type RedeemBody = z.output<typeof RedeemSchema>;
