import { z } from 'zod';
import { CrewSchema } from './crew-schema.js';
import type { JsonSchema } from './schema-keys.js';

/** The JSON Schema of a crew's file, as editors read it. */
export function crewJsonSchema(): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(CrewSchema, { io: 'input' }) as JsonSchema;
  return { $schema, title: 'Crew of DAGI Stack', ...rest };
}
