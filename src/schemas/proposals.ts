import { z } from 'zod';
import { CHOICES, STAGES } from '../contracts/proposal.js';
import { storable } from '../contracts/text.js';
import { ActingQuerySchema, id } from './common.js';
import { PageQuerySchema } from './daos.js';
import { SETTINGS } from './settings.js';

const MOST_ACTIONS = 20;
const MOST_ROLES = 20;

const written = (longest: number): z.ZodType<string, string> =>
  z.string().max(longest).transform(storable).pipe(z.string().trim().min(1));

const proposalTitle = written(200).meta({ description: 'The title, in one line.', example: 'Buy a second cold frame' });
const proposalText = written(50_000).meta({
  description: 'What is proposed and why, in Markdown.',
  example: 'Seedlings freeze in March. A second cold frame costs 120 euros.',
});

const roleName = z.string().min(1).max(64).transform(storable);
/** As in `PATCH /daos/:id`. */
const factName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u,
    'is not 1 to 64 letters, digits, spaces, dots, dashes or underscores',
  );

const roleAction = (type: 'grant_role' | 'revoke_role') =>
  z.strictObject({
    type: z.literal(type),
    /** The one or the other: an id as a member, or one that a platform gave. */
    member: id.optional(),
    user_id: id.optional(),
    role: roleName,
  });

const setting = <N extends string, T>(name: N, value: z.ZodType<T>) =>
  z.strictObject({ type: z.literal('set_setting'), name: z.literal(name), value: value.nullable() });

const Setting = z.discriminatedUnion('name', [
  setting('voting_hours', SETTINGS.voting_hours),
  setting('quorum', SETTINGS.quorum),
  setting('threshold', SETTINGS.threshold),
  setting('veto_hours', SETTINGS.veto_hours),
  setting('sealed', SETTINGS.sealed),
  setting('role_weights', SETTINGS.role_weights),
  setting('member_weights', SETTINGS.member_weights),
]);

const Action = z
  .discriminatedUnion('type', [
    roleAction('grant_role'),
    roleAction('revoke_role'),
    z.strictObject({ type: z.literal('set_fact'), name: factName, value: written(4_000).nullable() }),
    Setting,
    z.strictObject({ type: z.literal('invite'), user_id: id, roles: z.array(roleName).min(1).max(MOST_ROLES) }),
  ])
  .refine(
    (action) => !('role' in action) || (action.member === undefined) !== (action.user_id === undefined),
    'must name either a member or a user_id',
  );

const Actions = z
  .array(Action)
  .max(MOST_ACTIONS)
  .meta({
    description:
      'What is done once it has passed; each has a type: grant_role, revoke_role, set_fact, set_setting, invite.',
    example: [{ type: 'set_fact', name: 'cold frames', value: 'two' }],
  });

const review = z
  .string()
  .min(1)
  .max(200)
  .transform(storable)
  .nullable()
  .describe(
    'A finished run of the crew proposal_review that read it: its result is shown with the proposal. null: none.',
  );

/** Who acts and where may also be said in a body. */
const acting = ActingQuerySchema.shape;

/** `POST /proposals`. */
export const NewProposalSchema = z.strictObject({
  ...acting,
  title: proposalTitle,
  text: proposalText,
  actions: Actions.default([]),
  review: review.default(null),
  open: z.boolean().default(false).describe('Whether to open it for votes at once; false: it stays a draft.'),
});
export type NewProposalBody = z.output<typeof NewProposalSchema>;

/** `PATCH /proposals/:n`. */
export const ProposalChangesSchema = z
  .strictObject({
    ...acting,
    title: proposalTitle.optional(),
    text: proposalText.optional(),
    actions: Actions.optional(),
    review: review.optional(),
  })
  .refine(
    ({ title, text, actions, review: run }) => [title, text, actions, run].some((one) => one !== undefined),
    'names nothing to change',
  );
export type ProposalChangesBody = z.output<typeof ProposalChangesSchema>;

/** Bodies of routes that need none. */
export const ProposalActingSchema = z.strictObject(acting).nullish();
export type ProposalActingBody = z.output<typeof ProposalActingSchema>;

/** `POST /proposals/:n/veto`. */
export const VetoSchema = z.strictObject({
  ...acting,
  reason: written(2_000).describe('Why; all members can read it.'),
});
export type VetoBody = z.output<typeof VetoSchema>;

/** `PUT /proposals/:n/vote`. */
export const VoteSchema = z.strictObject({
  ...acting,
  choice: z.enum(CHOICES).meta({ description: 'The vote.', example: 'yes' }),
  ballot_id: z
    .string()
    .min(1)
    .max(64)
    .transform(storable)
    .pipe(z.string().min(1))
    .optional()
    .describe('What the client calls the ballot: sent again, it is answered again and counted once.'),
});
export type VoteBody = z.output<typeof VoteSchema>;

/** `PUT /delegations`. */
export const DelegationSchema = z.strictObject({
  ...acting,
  to: id.meta({ description: 'Who is to vote instead: an id of a member, or of a platform.', example: 'tg:222' }),
});
export type DelegationBody = z.output<typeof DelegationSchema>;

/** `:n`: what is no number is no proposal. */
export const ProposalNumberSchema = z
  .string()
  .max(64)
  .meta({ description: 'Number of the proposal in its DAO.', example: '1' });

/** `GET /proposals`. */
export const ProposalsQuerySchema = ActingQuerySchema.extend({
  ...PageQuerySchema.shape,
  stage: z.enum(STAGES).optional().describe('Only those at this stage; absent: all of them.'),
});
export type ProposalsQuery = z.output<typeof ProposalsQuerySchema>;

/** `GET /proposals/:n/voters`, `GET /delegations`. */
export const PartQuerySchema = ActingQuerySchema.extend(PageQuerySchema.shape);
export type PartQuery = z.output<typeof PartQuerySchema>;

/** `GET /proposals/:n/votes`. */
export const VotesQuerySchema = PartQuerySchema.extend({
  /** `last`: the one that counts, of each voter. `all`: the changed ones, too. */
  revisions: z
    .enum(['last', 'all'])
    .default('last')
    .describe('last: the ballot that counts, of each voter; all: changed ones, too.'),
});
export type VotesQuery = z.output<typeof VotesQuerySchema>;
