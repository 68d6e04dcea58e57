import type { OpenAPIObject } from '@nestjs/swagger';
import { ENTITLEMENTS } from '../../contracts/access.js';
import { ACCESS_NOTE } from '../../middleware/access.js';
import { BODY_NOTE } from './operation.js';
import { OPENAI_WORDS } from './openai-words.js';

type Paths = OpenAPIObject['paths'];
type PathItem = Paths[string];
type Operation = NonNullable<PathItem['get']>;
type Parameter = Exclude<NonNullable<Operation['parameters']>[number], { $ref: string }>;
type Schema = Exclude<NonNullable<Parameter['schema']>, { $ref: string }>;

/** Methods of a path, in the order in which they are told. */
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Headers as they are written, and what they are for. A client that leaves one empty has not sent it. */
const HEADERS: Readonly<Record<string, Pick<Parameter, 'name' | 'description' | 'example'>>> = {
  'idempotency-key': {
    name: 'Idempotency-Key',
    description:
      'The same text with the same body is the same request, answered once; kept for 24 hours. May be empty.',
    example: 'order-17',
  },
  prefer: {
    name: 'Prefer',
    description:
      'wait=N: how many seconds to wait for the answer, at most 600; without it 55. Then it is 202. May be empty.',
    example: 'wait=20',
  },
  'last-event-id': {
    name: 'Last-Event-ID',
    description: 'Id of the last event that was received, to get those behind it. May be empty.',
    example: '1-18',
  },
  'if-match': {
    name: 'If-Match',
    description: 'The version that is to be changed; with another one the answer is 412. May be empty.',
    example: '"1"',
  },
};

/** The description as tools can read it: what a key opens, each name once in an operation, plain parameters. */
export function polished(document: OpenAPIObject, tags: readonly string[]): OpenAPIObject {
  const paths = Object.entries(document.paths).flatMap(([path, item]): [string, PathItem][] => {
    const operations = METHODS.flatMap((method): [string, Operation][] => {
      const operation = item[method];
      return operation && isOpenedByKey(operation) ? [[method, told(withBody(operation))]] : [];
    });
    return operations.length === 0 ? [] : [[path, Object.fromEntries(operations)]];
  });
  const placeOf = (item: PathItem): number => {
    const tag = METHODS.flatMap((method) => item[method]?.tags ?? [])[0] ?? '';
    return tags.includes(tag) ? tags.indexOf(tag) : tags.length;
  };
  const sorted = paths.toSorted(([a, one], [b, other]) => placeOf(one) - placeOf(other) || (a < b ? -1 : 1));
  return { ...document, paths: Object.fromEntries(sorted) };
}

const noteOf = (operation: Operation, note: string): unknown => (operation as unknown as Record<string, unknown>)[note];
const accessOf = (operation: Operation): unknown => noteOf(operation, ACCESS_NOTE);

/** By what the route itself declares. A route that declares nothing is closed, and one that is public needs no key. */
const isOpenedByKey = (operation: Operation): boolean =>
  ['owner', 'by-mode', 'key', ...ENTITLEMENTS].some((access) => access === accessOf(operation));

/** The body as the route describes it; one that needs none has none, since what it could say the address can. */
function withBody(operation: Operation): Operation {
  const body = noteOf(operation, BODY_NOTE);
  if (body === undefined) return worded(operation);
  const entries = Object.entries(operation).filter(([name]) => name !== 'requestBody' && name !== BODY_NOTE);
  return { ...Object.fromEntries(entries), ...(body !== null && { requestBody: body }) } as Operation;
}

/** Says what each parameter of an endpoint of OpenAI's means. */
function worded(operation: Operation): Operation {
  const words = (name: string): { description?: string } =>
    OPENAI_WORDS[name] === undefined ? {} : { description: OPENAI_WORDS[name] };
  const parameters = (operation.parameters ?? []).map((one) => ('$ref' in one ? one : { ...words(one.name), ...one }));
  return eachInBody({ ...operation, parameters }, (name, one) => ({ ...words(name), ...one }));
}

/** The operation with each property at the top of its body changed; whatever else is there stays. */
function eachInBody(operation: Operation, change: (name: string, one: Schema) => Schema): Operation {
  const schema = bodySchemaOf(operation);
  if (!schema?.properties) return operation;
  const properties = Object.entries(schema.properties).map(([name, one]) => [
    name,
    '$ref' in one ? one : change(name, one),
  ]);
  const body = operation.requestBody as { content: Record<string, object> };
  const json: object = {
    ...body.content['application/json'],
    schema: { ...schema, properties: Object.fromEntries(properties) as object },
  };
  const requestBody = { ...body, content: { 'application/json': json } } as Operation['requestBody'] & object;
  return { ...operation, requestBody };
}

/** What a thing is, with the values that it can have: some tools tell their model nothing else of it. */
function saying(schema: Schema): Schema {
  const values = schema.enum;
  if (!values || values.length < 2) return schema;
  return { ...schema, description: `${schema.description ?? ''} One of: ${values.join(', ')}.`.trim() };
}

function told(operation: Operation): Operation {
  const inBody = new Set(Object.keys(bodySchemaOf(operation)?.properties ?? {}));
  const parameters = (operation.parameters ?? [])
    .filter((one): one is Parameter => !('$ref' in one))
    // `Accept` is no parameter in OpenAPI; and what the body says need not be said in the address, too.
    .filter(
      ({ in: where, name }) => !(where === 'header' && name === 'accept') && !(where === 'query' && inBody.has(name)),
    )
    .map(plain);
  const access = accessOf(operation);
  const needs = (ENTITLEMENTS as readonly unknown[]).includes(access) ? ` Needs the right ${String(access)}.` : '';
  const description = `${operation.description ?? ''}${needs}`;
  return eachInBody({ ...operation, description, parameters }, (_name, one) => saying(one));
}

function bodySchemaOf(operation: Operation): Schema | undefined {
  const { requestBody } = operation;
  const schema = requestBody && 'content' in requestBody ? requestBody.content['application/json']?.schema : undefined;
  return schema && !('$ref' in schema) ? schema : undefined;
}

/** Description and example beside the name, where tools look for them. */
function plain(described: Parameter): Parameter {
  const { schema: given, ...parameter } = described;
  if (parameter.in === 'header')
    return { ...parameter, ...HEADERS[parameter.name.toLowerCase()], schema: { type: 'string' } };
  if (given === undefined || '$ref' in given) return described;
  const schema = saying(given);
  const { description } = schema;
  const example: unknown = schema.example;
  return {
    ...parameter,
    ...(description !== undefined && { description }),
    ...(example !== undefined && { example }),
    schema: Object.fromEntries(Object.entries(schema).filter(([name]) => name !== 'description' && name !== 'example')),
  };
}
