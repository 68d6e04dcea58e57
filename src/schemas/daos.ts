import { z } from 'zod';
import { MOST_FACTS } from '../contracts/dao.js';
import { storable } from '../contracts/text.js';
import { pageLimit, personId } from './common.js';
import { SETTINGS } from './settings.js';

/** Most characters of a fact. */
const LONGEST_FACT = 4_000;
const LONGEST_TEXT = 2_000;

const written = (longest: number): z.ZodType<string, string> =>
  z.string().max(longest).transform(storable).pipe(z.string().trim().min(1));

/** What people call a DAO or a member. */
export const nameOf = written(100);

const factName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u,
    'is not 1 to 64 letters, digits, spaces, dots, dashes or underscores',
  );
const tooMany = `are more than ${MOST_FACTS}`;

const Facts = z.record(factName, written(LONGEST_FACT)).refine((all) => Object.keys(all).length <= MOST_FACTS, tooMany);
const FactChanges = z
  .record(factName, written(LONGEST_FACT).nullable())
  .refine((all) => Object.keys(all).length <= 2 * MOST_FACTS, tooMany);

const profile = {
  description: written(LONGEST_TEXT),
  language: z.string().regex(/^[a-z]{2,8}(-[a-z0-9]{1,8}){0,4}$/i, 'is no language tag such as "en" or "pt-BR"'),
};
const Profile = z.strictObject(profile).partial();
const ProfileChanges = z
  .strictObject({ description: profile.description.nullable(), language: profile.language.nullable() })
  .partial();

const SettingChanges = z
  .strictObject({
    voting_hours: SETTINGS.voting_hours.nullable(),
    quorum: SETTINGS.quorum.nullable(),
    threshold: SETTINGS.threshold.nullable(),
    veto_hours: SETTINGS.veto_hours.nullable(),
    sealed: SETTINGS.sealed.nullable(),
    role_weights: SETTINGS.role_weights.nullable(),
    member_weights: SETTINGS.member_weights.nullable(),
  })
  .partial();

const LimitChanges = z
  .strictObject({
    weight: z.number().min(0.01).max(100).nullable(),
    requests_per_minute: z.int().min(0).nullable(),
    tokens_per_month: z.int().min(0).nullable(),
  })
  .partial();

/** `POST /daos`. */
export const NewDaoSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'is not 1 to 64 of a-z, 0-9, ".", "_" and "-", the first no sign')
    .meta({ description: 'What the DAO is called in addresses.', example: 'seed-library' }),
  name: nameOf.describe('What people call it.'),
  facts: Facts.default({}).describe('Facts about the DAO by name; models are told them.'),
  profile: Profile.default({}).describe('description and language.'),
  admin: personId.optional().meta({ description: 'Who becomes its first admin.', example: 'tg:12345' }),
});
export type NewDaoBody = z.output<typeof NewDaoSchema>;

/** `PATCH /daos/:id`: what is not mentioned stays; null takes a name away. */
export const DaoChangesSchema = z
  .strictObject({
    name: nameOf.describe('What people call it.'),
    facts: FactChanges.describe('Facts to set by name; null takes one away.'),
    profile: ProfileChanges.describe('description and language; null takes one away.'),
    settings: SettingChanges.describe('How the DAO decides, by name; null goes back to the default.'),
    limits: LimitChanges.describe('What the DAO may use, by name; null goes back to the profile.'),
  })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'names nothing to change');
export type DaoChangesBody = z.output<typeof DaoChangesSchema>;

/** Behind which entry a part of a list begins. */
export const afterEntry = z
  .string()
  .max(256)
  .transform(storable)
  .default('')
  .describe('As next of the part before said; empty for the first part.');

/** A page of a list: how much of it, behind what `next` of the page before said. */
export const PageQuerySchema = z.strictObject({
  limit: pageLimit,
  after: afterEntry,
});
export type PageQuery = z.output<typeof PageQuerySchema>;

/** A DAO in a path. One that cannot be is simply not there. */
export const DaoIdSchema = z
  .string()
  .max(64)
  .transform(storable)
  .meta({ description: 'Id of the DAO.', example: 'greenfood-dao' });
