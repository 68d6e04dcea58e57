import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type Schema = Record<string, unknown>;

interface ListedOperation {
  id: string;
  method: string;
  path: string;
  security: Record<string, unknown>[];
  body?: Schema;
}

interface Api {
  operations: ListedOperation[];
  schemas: Record<string, Schema>;
}

/** An operation of Discord's REST API, and what its path names. */
export interface Operation {
  id: string;
  /** Whether it is done as the bot; else by the token in its path. */
  isBots: boolean;
  params: Readonly<Record<string, string>>;
}

/** What Discord itself says of its API: test/fixtures/discord-api.json. */
const api = JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/discord-api.json'), 'utf8')) as Api;

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, discriminator: false });
ajv.addSchema({ $id: 'discord', components: { schemas: api.schemas } });

const aimed = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"discord#/components'));

/**
 * Sets of permissions are integers in Discord's description of itself, and texts in its documentation, since they may be
 * greater than numbers hold: https://discord.com/developers/docs/topics/permissions. It takes both.
 */
const asDescribed = (body: unknown): unknown =>
  body === undefined
    ? undefined
    : JSON.parse(JSON.stringify(body), (key, value: unknown) =>
        key === 'default_member_permissions' && typeof value === 'string' && /^\d+$/.test(value)
          ? Number(value)
          : value,
      );

const validators = new Map<string, ValidateFunction>(
  api.operations.flatMap(({ id, body }) => (body ? [[id, ajv.compile(aimed(body) as Schema)] as const] : [])),
);

/** Fields that a body may have, by the operation; of a list, each of its members. */
const fields = new Map(api.operations.map(({ id, body }) => [id, new Set(fieldsOf(body ?? {}))]));

function fieldsOf(schema: Schema): string[] {
  const { $ref: reference, properties, items } = schema as { $ref?: string; properties?: Schema; items?: Schema };
  if (reference !== undefined) return fieldsOf(api.schemas[reference.split('/').at(-1) ?? ''] ?? {});
  if (items) return fieldsOf(items);
  const others = [...alternativesIn(schema, 'anyOf'), ...alternativesIn(schema, 'oneOf')];
  return [...Object.keys(properties ?? {}), ...others.flatMap(fieldsOf)];
}

function alternativesIn(schema: Schema, keyword: string): Schema[] {
  return Array.isArray(schema[keyword]) ? (schema[keyword] as Schema[]) : [];
}

const routes = api.operations.map(({ id, method, path, security }) => ({
  ...{ id, method },
  isBots: !security.some((one) => Object.keys(one).length === 0),
  pattern: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
  // "@original" before what takes any name for an id.
  isExact: !path.endsWith('}'),
}));

/** The operation that a call is. Undefined: Discord may know it; we do not use it. */
export function operationOf(method: string, path: string): Operation | undefined {
  const fitting = routes.filter((route) => route.method === method && route.pattern.test(path));
  const route = fitting.find(({ isExact }) => isExact) ?? fitting[0];
  return route && { id: route.id, isBots: route.isBots, params: { ...route.pattern.exec(path)?.groups } };
}

/** What is wrong with a body by Discord's own description, fields that it does not know among it. */
export function problemsOf(id: string, body: unknown): string[] {
  const validate = validators.get(id);
  if (!validate) return body === undefined ? [] : [`${id} takes no body`];
  const known = fields.get(id);
  const members = Array.isArray(body) ? body : [body];
  const strangers = members.flatMap((one) => Object.keys((one ?? {}) as object).filter((key) => !known?.has(key)));
  const wrong = validate(asDescribed(body))
    ? []
    : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message ?? ''}`);
  return [...strangers.map((name) => `${name}: unknown field`), ...new Set(wrong)];
}
