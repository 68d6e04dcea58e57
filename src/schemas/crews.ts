import { z } from 'zod';
import { ActingQuerySchema, daoNamed, ourId, pageLimit, storableObject, text } from './common.js';

export const CrewIdSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected the id of a crew')
  .meta({ description: 'Id of a crew.', example: 'code_review' });

export const RunIdSchema = ourId.pipe(z.string().min(1)).meta({
  description: 'Id of the run: request_id of the answer that started it.',
  example: '01a21043-0034-7263-acbd-4b52978ca112',
});

const acting = { dao_id: daoNamed.optional(), user_id: ActingQuerySchema.shape.user_id };

export const StartRunSchema = z.strictObject({
  inputs: storableObject.default({}).meta({ description: 'What the crew is given, as its inputs say.' }),
  text: text.optional().meta({ description: 'What is wanted, in words, for crews that take it.' }),
  ...acting,
});
export type StartRunBody = z.output<typeof StartRunSchema>;

export const RerunSchema = z.strictObject({
  inputs: storableObject.default({}).meta({ description: 'Inputs that are to be others than before.' }),
  from: z.string().max(64).optional().meta({ description: 'The task from which all is done again.' }),
  user_id: ActingQuerySchema.shape.user_id,
});
export type RerunBody = z.output<typeof RerunSchema>;

export const DecideSchema = z.strictObject({
  gate: z.string().max(200).optional().meta({
    description: 'Which question of the run; left out: the only one that is open to such a decision.',
  }),
  revision: z.number().int().min(1).optional().meta({
    description: 'What you saw of it; needed once somebody has changed the output.',
  }),
  comment: text
    .pipe(z.string().max(4_000))
    .optional()
    .meta({ description: 'Why, what is to be better, or the answer.' }),
  output: storableObject.optional().meta({ description: 'With approve: the output as you changed it.' }),
  user_id: ActingQuerySchema.shape.user_id,
});
export type DecideBody = z.output<typeof DecideSchema>;

export const RunsQuerySchema = ActingQuerySchema.extend({
  after: ourId.optional().meta({ description: 'The last run of the part before.' }),
  limit: pageLimit,
  crew: CrewIdSchema.optional(),
  state: z.enum(['running', 'waiting_approval', 'completed', 'failed', 'cancelled']).optional(),
});
export type RunsQuery = z.output<typeof RunsQuerySchema>;

export const CompareQuerySchema = ActingQuerySchema.omit({ dao_id: true }).extend({
  with: RunIdSchema,
});
export type CompareQuery = z.output<typeof CompareQuerySchema>;

/** A crew as it is sent; what is in it is looked at by the configuration's own schema. */
export const CrewBodySchema = z
  .looseObject({
    name: z.string().optional().meta({ description: 'What people call it.', example: 'Planning' }),
    description: z.string().optional().meta({ description: 'What it is for.' }),
    process: z.string().optional().meta({ description: 'sequential, parallel or hierarchical.', example: 'parallel' }),
    inputs: z.looseObject({}).optional().meta({ description: 'JSON Schema of what a run is given.' }),
    agents: z.looseObject({}).optional().meta({ description: 'Who works in it, by name.' }),
    tasks: z.looseObject({}).optional().meta({ description: 'What they do, by name, in order.' }),
    result: z.looseObject({}).optional().meta({ description: 'What a run comes to, by references to outputs.' }),
  })
  .meta({ description: 'A crew, as config/crews/*.yml has them; see docs/crews.md for what else it may say.' });
export type CrewBody = z.output<typeof CrewBodySchema>;
