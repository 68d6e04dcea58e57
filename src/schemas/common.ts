import { z } from 'zod';

/** PostgreSQL keeps no U+0000, and JSON columns no half surrogate pairs. */
export const storable = (value: string): string => value.toWellFormed().replaceAll('\0', '');

/** Text that the database can keep. */
export const text = z.string().transform(storable);
export const id = z.string().min(1).max(256).transform(storable).pipe(z.string().min(1));

/** Who asks, where a request has no body. */
export const ActingQuerySchema = z.object({ dao_id: id.optional(), user_id: id.optional() });
export type ActingQuery = z.infer<typeof ActingQuerySchema>;

export const RequestIdSchema = z.string().max(64).transform(storable);

/** `POST /keys`. */
export const NewKeySchema = z.strictObject({
  name: z.string().min(1).max(100).transform(storable),
  /** Absent: all DAOs, which only the platform's administrator may give. */
  dao_id: id.optional(),
  /** Absent: a gateway key, which may name the user it calls for. */
  principal: id.optional(),
});
export type NewKeyBody = z.infer<typeof NewKeySchema>;

/** `Prefer: wait=N`, in seconds; anything else in the header is none of our business. */
export function preferredWaitMs(prefer: string | undefined): number | undefined {
  const match = /(?:^|[,;\s])wait=(\d{1,5})(?=$|[,;\s])/i.exec(prefer ?? '');
  return match ? Number(match[1]) * 1_000 : undefined;
}
