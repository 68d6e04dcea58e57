import { z } from 'zod';
import { ProfileSchema } from './profile-schema.js';

/** As much of a JSON Schema as is read here. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  [key: string]: unknown;
}

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

/** A schema with its reference followed, and what it holds under a key or an index; undefined if anything may be there. */
function below(root: JsonSchema, schema: JsonSchema, part: PropertyKey): JsonSchema[] {
  const own = follow(root, schema);
  const inside = (own.anyOf ?? []).flatMap((option) => below(root, option, part));
  if (typeof part === 'number') return own.items ? [own.items, ...inside] : inside;
  const { properties = {}, additionalProperties: others } = own;
  const key = String(part);
  if (Object.hasOwn(properties, key) && properties[key]) return [properties[key], ...inside];
  return typeof others === 'object' ? [others, ...inside] : inside;
}

function follow(root: JsonSchema, schema: JsonSchema): JsonSchema {
  const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref ?? '')?.[1];
  return (name === undefined ? undefined : root.$defs?.[name]) ?? schema;
}

/** Keys that a schema has a place for where a path leads. Those of maps inside come as `map.key`. */
export function keysAt(root: JsonSchema, path: readonly PropertyKey[]): { own: string[]; inside: string[] } {
  let schemas = [root];
  for (const part of path) schemas = schemas.flatMap((schema) => below(root, schema, part));
  const maps = schemas.map((schema) => follow(root, schema).properties ?? {});
  const own = maps.flatMap(Object.keys);
  const inside = maps.flatMap((map) =>
    Object.entries(map).flatMap(([key, schema]) =>
      Object.keys(follow(root, schema).properties ?? {}).map((name) => `${key}.${name}`),
    ),
  );
  return { own, inside };
}
