import { z } from 'zod';
import type { SchemaObject } from '@nestjs/swagger';

/**
 * The JSON Schema of what a client sends, in the dialect of OpenAPI 3.0. Defaults that are objects or lists are left
 * out: Dify takes only numbers and texts there, and refuses the whole description otherwise.
 */
export const jsonSchema = (schema: z.ZodType): SchemaObject =>
  z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: told }) => {
      if (typeof told.default === 'object') delete told.default;
    },
  }) as SchemaObject;
