import { z } from 'zod';
import { storable } from '../contracts/text.js';
import { id, ourId, personId } from './common.js';
import { nameOf, PageQuerySchema } from './daos.js';

const MOST_ROLES = 20;
const roleNames = z
  .array(z.string().min(1).max(64).transform(storable))
  .min(1)
  .max(MOST_ROLES)
  .transform((names) => [...new Set(names)])
  .meta({ description: 'Names of roles of the DAO.', example: ['member'] });

/** A member in a path: its id, or `me` for whoever acts. */
export const MemberRefSchema = z
  .string()
  .max(64)
  .transform(storable)
  .meta({ description: 'Id of the member; "me" for whoever the key stands for.', example: 'me' });

/** A platform's id in a path. */
export const UserIdSchema = id.meta({ description: 'Id by which a platform knows the member.', example: 'tg:12345' });

/** An invitation in a path. */
export const InvitationIdSchema = ourId.describe('Id of the invitation, as listInvitations tells it.');

/** `GET /daos/:id/members`. */
export const MembersQuerySchema = PageQuerySchema.extend({
  role: z
    .string()
    .max(64)
    .transform(storable)
    .optional()
    .meta({ description: 'Only those who have this role.', example: 'admin' }),
  user_id: id.optional().meta({ description: 'Only the one whom a platform knows by this id.', example: 'tg:12345' }),
});
export type MembersQuery = z.output<typeof MembersQuerySchema>;

/** Query of `DELETE /daos/:id/members`: the user, as the object, unless the body has it. */
export const UserQuerySchema = z.strictObject({
  user_id: id.optional().meta({ description: 'Id by which a platform knows the member.', example: 'tg:12345' }),
});
export type UserQuery = z.output<typeof UserQuerySchema>;

/** Its body, if it has one. */
export const UserBodySchema = z.strictObject({ user_id: id.optional() }).nullish();
export type UserBody = z.output<typeof UserBodySchema>;

/** `POST /daos/:id/members`. */
export const NewMemberSchema = z.strictObject({
  user_id: personId.meta({ description: 'Id by which a platform knows the person.', example: 'tg:12345' }),
  roles: roleNames,
  name: nameOf.optional().describe('What people call the person.'),
});
export type NewMemberBody = z.output<typeof NewMemberSchema>;

/** `PATCH /daos/:id/members/:member`; a name that is null is taken away. */
export const MemberChangesSchema = z
  .strictObject({
    roles: roleNames,
    name: nameOf.nullable().describe('What people call the member; null takes the name away.'),
  })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'names nothing to change');
export type MemberChangesBody = z.output<typeof MemberChangesSchema>;

/** `POST /daos/:id/members/:member/ids`. */
export const NewIdSchema = z.strictObject({
  user_id: personId.meta({ description: 'Another id by which a platform knows the member.', example: 'discord:678' }),
});
export type NewIdBody = z.output<typeof NewIdSchema>;

const MOST_HOURS = 24 * 90;

/** `POST /daos/:id/invitations`. With a user_id only that user can take it, and needs no secret. */
export const NewInvitationSchema = z
  .strictObject({
    roles: roleNames,
    user_id: personId.optional().meta({
      description: 'The only one who can take it, without a secret; absent: whoever has the secret.',
      example: 'tg:222',
    }),
    uses: z.int().min(1).max(1_000).default(1).describe('How often it can be taken; 1 for a named user.'),
    expires_in_hours: z.number().gt(0).max(MOST_HOURS).default(168).describe('For how long it can be taken.'),
  })
  .refine(({ user_id, uses }) => user_id === undefined || uses === 1, {
    path: ['uses'],
    message: 'is 1 for a named user',
  });
export type NewInvitationBody = z.output<typeof NewInvitationSchema>;

/** `POST /invitations/redeem`: a secret, or a DAO that has invited the actor by name. */
export const RedeemSchema = z
  .strictObject({
    secret: z
      .string()
      .min(1)
      .max(256)
      .transform(storable)
      .optional()
      .describe('The secret of an invitation, or the code of linkCode.'),
    dao_id: id.optional().describe('Instead of a secret: the DAO that has invited the actor by name.'),
    user_id: personId.optional().meta({ description: 'Who redeems it, for a gateway key.', example: 'tg:222' }),
  })
  .refine(({ secret, dao_id }) => (secret === undefined) !== (dao_id === undefined), {
    message: 'needs either a secret or a dao_id',
  });
export type RedeemBody = z.output<typeof RedeemSchema>;
