import { z } from 'zod';
import { ProfileSchema } from './profile-schema.js';
import type { JsonSchema } from './schema-keys.js';

/** Text that is one variable, as it may stand for a number, an address or a word of a list. */
const VARIABLE = { type: 'string', pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}$' };

const PLAIN = new Set(['number', 'integer', 'boolean']);

/** Whether a variable in place of a value would be taken for a mistake by an editor. */
const isStrict = ({ type, ...rest }: JsonSchema): boolean =>
  PLAIN.has(type ?? '') || (type === 'string' && ['enum', 'pattern', 'format', 'const'].some((key) => key in rest));

/** Lets a variable stand where a scalar of some form is expected. Descriptions stay outside. */
function allowVariable(schema: JsonSchema): void {
  if (!isStrict(schema)) return;
  const { description, default: value, ...strict } = { ...schema };
  for (const key of Object.keys(schema)) Reflect.deleteProperty(schema, key);
  Object.assign(
    schema,
    description === undefined ? {} : { description },
    value === undefined ? {} : { default: value },
  );
  schema.anyOf = [strict, VARIABLE];
}

/**
 * The JSON Schema of one file of a profile, as editors read it: a file may leave to its base what a whole profile needs,
 * and a variable may stand for any value.
 */
export function profileJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(ProfileSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      allowVariable(jsonSchema as JsonSchema);
    },
  }) as JsonSchema;
  const { $schema, properties, ...rest } = schema;
  delete rest.required;
  const base = { type: 'string', description: 'A file beside this one, or the name of a profile that comes along.' };
  return { $schema, title: 'Profile of DAGI Stack', ...rest, properties: { extends: base, ...properties } };
}
