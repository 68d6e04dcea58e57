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
  oneOf?: JsonSchema[];
  [key: string]: unknown;
}

/** A schema with its reference followed, and what it holds under a key or an index; undefined if anything may be there. */
function below(root: JsonSchema, schema: JsonSchema, part: PropertyKey): JsonSchema[] {
  const own = follow(root, schema);
  const inside = optionsOf(own).flatMap((option) => below(root, option, part));
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

const optionsOf = ({ anyOf = [], oneOf = [] }: JsonSchema): JsonSchema[] => [...anyOf, ...oneOf];

/** A schema and all that may stand in its place. */
function alternatives(root: JsonSchema, schema: JsonSchema): JsonSchema[] {
  const own = follow(root, schema);
  return [own, ...optionsOf(own).flatMap((option) => alternatives(root, option))];
}

/** Keys that a schema has a place for where a path leads. Those of maps inside come as `map.key`. */
export function keysAt(root: JsonSchema, path: readonly PropertyKey[]): { own: string[]; inside: string[] } {
  let schemas = [root];
  for (const part of path) schemas = schemas.flatMap((schema) => below(root, schema, part));
  const maps = schemas.flatMap((schema) => alternatives(root, schema)).map(({ properties = {} }) => properties);
  const own = [...new Set(maps.flatMap(Object.keys))];
  const inside = maps.flatMap((map) =>
    Object.entries(map).flatMap(([key, schema]) =>
      Object.keys(follow(root, schema).properties ?? {}).map((name) => `${key}.${name}`),
    ),
  );
  return { own, inside };
}
