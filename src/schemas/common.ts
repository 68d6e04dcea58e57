import { z } from 'zod';
import { noPersonId } from '../contracts/person-id.js';
import { storable, storableJson } from '../contracts/text.js';

/** Text that the database can keep. */
export const text = z.string().transform(storable);
/** For `transform`: an object as the database can keep it. */
export function kept<T>(value: T, context: z.RefinementCtx): T {
  try {
    return storableJson(value) as T;
  } catch {
    context.addIssue({ code: 'custom', message: 'nested too deeply' });
    return z.NEVER;
  }
}
/** Any object that the database can keep. */
export const storableObject = z.looseObject({}).transform(kept);
/** A name of something: in one form, however its accents were typed. */
export const id = z
  .string()
  .min(1)
  .max(256)
  .transform((name) => storable(name).normalize('NFC'))
  .pipe(z.string().min(1));

/** Who becomes somebody in a DAO, by the id of a platform: none of our own names, and none that looks like another. */
export const personId = id.superRefine((name, context) => {
  const message = noPersonId(name);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** Most entries of one part of a list. */
export const pageLimit = z.coerce.number().int().min(1).max(200).default(50).describe('Most entries of the answer.');

/** The DAO in which somebody acts. */
export const daoNamed = id.meta({
  description: 'Id of the DAO. Leave it out, not empty, with a key that is bound to one DAO.',
  example: 'greenfood-dao',
});

/** Who asks and where, where a request has no body. */
export const ActingQuerySchema = z.strictObject({
  dao_id: daoNamed.optional(),
  user_id: id
    .optional()
    .meta({ description: 'Who acts, for keys that may say so. Leave it out, not empty, with a personal key.' }),
});
export type ActingQuery = z.infer<typeof ActingQuerySchema>;

/** Who asks for a thing that says itself where it belongs. */
export const ActorQuerySchema = ActingQuerySchema.omit({ dao_id: true });
export type ActorQuery = z.infer<typeof ActorQuerySchema>;

/** A query of a route that takes none: what is named there must not look heeded. */
export const NoQuerySchema = z.strictObject({});

/** An id of ours in a path. */
export const ourId = z.string().max(64).transform(storable);

export const RequestIdSchema = ourId.meta({
  description: 'Id of the request: request_id of its answer.',
  example: '01a21043-0034-7263-acbd-4b52978ca112',
});

/** `Prefer: wait=N`, in seconds; anything else in the header is none of our business. */
export function preferredWaitMs(prefer: string | undefined): number | undefined {
  const match = /(?:^|[,;\s])wait=(\d{1,5})(?=$|[,;\s])/i.exec(prefer ?? '');
  return match ? Number(match[1]) * 1_000 : undefined;
}
