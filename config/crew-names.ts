import { z } from 'zod';

/** First words of references, and what every object has: none of them can be an id. */
export const RESERVED = ['inputs', 'gathered', 'item', 'constructor'] as const;

const ID = 'expected small letters, digits and "_", a letter first, at most 63 of them';

/** Id of a crew, an agent, a task or something gathered. */
export const crewId = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, ID)
  .refine((name) => !(RESERVED as readonly string[]).includes(name), `one of ${RESERVED.join(', ')} is no id`);

/** Names of inputs and of parts of outputs: what references and paths can say. */
export const partName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'expected letters, digits and "_", a letter first, at most 63 of them')
  .refine((name) => !(name in Object.prototype), 'not a name that a part may have');

const PART = '[A-Za-z][A-Za-z0-9_]{0,62}(\\[\\])?';

/** Names with dots between them, `[]` for each entry of a list: `plan.subtasks[].id`. */
const pathOf = (what: string) =>
  z
    .string()
    .max(512)
    .regex(new RegExp(`^${PART}(\\.${PART}){0,15}$`), what);

export const reference = pathOf('expected names with dots between them, such as inputs.name or plan.subtasks[].id');
export const outputPath = pathOf('expected a path into the output, such as subtasks[].id');
