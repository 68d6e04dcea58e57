import { z } from 'zod';
import type { SchemaObject } from '@nestjs/swagger';

/** The JSON Schema of what a client sends, in the dialect of OpenAPI 3.0. */
export const jsonSchema = (schema: z.ZodType): SchemaObject =>
  z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }) as SchemaObject;
