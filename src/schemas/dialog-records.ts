import { z } from 'zod';
import { PROMPT_STATUSES, type DialogRecord, type DialogSummary } from '../contracts/dialog-record.js';
import { ActingQuerySchema, id, ourId, pageLimit } from './common.js';

/** A moment of this millennium: a database knows no year 0. */
const moment = z.iso
  .datetime({ offset: true, error: 'is no moment, such as 2026-11-01T00:00:00Z', abort: true })
  .regex(/^2/, 'is of no year of this millennium')
  .transform((text) => new Date(text))
  .optional();

const WindowSchema = ActingQuerySchema.extend({
  since: moment.meta({ description: 'Only what was written from then on.', example: '2026-11-01T00:00:00Z' }),
  until: moment.meta({ description: 'Only what was written before then.', example: '2026-12-01T00:00:00Z' }),
  after: ourId.optional().describe('As next of the part before said.'),
  limit: pageLimit,
});

/** `GET /dialogs`. */
export const DialogsQuerySchema = WindowSchema.extend({
  source: id.optional().meta({ description: 'Only those that are held through this.', example: 'telegram' }),
});
export type DialogsQuery = z.output<typeof DialogsQuerySchema>;

/** `GET /dialogs/:id`. */
export const DialogQuerySchema = WindowSchema;
export type DialogQuery = z.output<typeof DialogQuerySchema>;

export const DialogIdSchema = ourId.meta({
  description: 'Id of the dialog.',
  example: '01a21043-0034-7263-acbd-4b52978ca112',
});

const head = {
  dialog_id: z.string(),
  timestamp: z.string().meta({ format: 'date-time' }),
  user_id: z.string().nullable().describe('Whose it is; null: that of a group.'),
  dao_id: z.string(),
};

/** A dialog as it is told and exported. */
export const DialogSchema = z.object({
  ...head,
  prompts: z.array(
    z.object({
      text: z.string(),
      response_time_ms: z.number().nullable(),
      provider: z.string().nullable(),
      rbac_role: z.string().nullable(),
      status: z.enum(PROMPT_STATUSES),
    }),
  ),
  insights: z.object({ worked_well: z.string(), issues: z.string(), suggestions: z.string() }),
}) satisfies z.ZodType<DialogRecord>;

/** A dialog as lists show it. */
export const DialogSummarySchema = z.object({
  ...head,
  source: z.string().nullable(),
}) satisfies z.ZodType<DialogSummary>;
