import { applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { ERRORS, type ErrorCode } from '../../errors/catalogue.js';
import { jsonSchema } from '../../schemas/json-schema.js';
import type { AnswerName } from './answers.js';

/** A body that can be sent as it stands. */
export interface Example {
  summary: string;
  value: object;
}

/**
 * Where a description holds the body until it is put in place. What Nest makes of the schema that checks a body would
 * come first otherwise, and that is not always one that a tool can read.
 */
export const BODY_NOTE = 'x-dagi-body';

/** What the description says of a route beyond what its schemas say. */
export interface OperationSpec {
  /** Unique in the description: clients make it the name of a tool. */
  id: string;
  summary: string;
  /** What a model or a person must know before calling; the summary is said first. */
  description?: string;
  /** Of the body; flat, with plain properties. */
  body?: z.ZodType;
  examples?: Record<string, Example>;
  /** Success: the answer by status. */
  answers: Partial<Record<200 | 201 | 202, AnswerName>>;
  /** Errors of this route, beyond those that any route with a key can answer. */
  refuses?: readonly ErrorCode[];
  /** Whether `If-Match` is honoured. */
  ifMatch?: boolean;
  /** Other headers that are honoured. */
  headers?: readonly ('Idempotency-Key' | 'Prefer' | 'Last-Event-ID')[];
}

/** What any route that asks for a key can refuse. */
const ANYWHERE = [
  'QUERY_INVALID',
  'UNAUTHENTICATED',
  'RBAC_PERMISSION_DENIED',
  'ACTING_NOT_ALLOWED',
  'DAO_FORBIDDEN',
  'INTERNAL',
  'STORE_UNAVAILABLE',
] as const satisfies ErrorCode[];
const WITH_BODY = [
  'BAD_JSON',
  'BODY_INVALID',
  'BODY_TOO_LARGE',
  'MEDIA_TYPE_UNSUPPORTED',
] as const satisfies ErrorCode[];

const SAID: Readonly<Record<200 | 201 | 202, string>> = {
  200: 'Done.',
  201: 'Made.',
  202: 'Accepted: it goes on, and GET /requests/{id} tells how it stands.',
};

/** Describes a route: what it is for, takes, answers and refuses. */
export const Operation = (spec: OperationSpec): MethodDecorator =>
  applyDecorators(
    ApiOperation({ operationId: spec.id, summary: spec.summary, description: spokenOf(spec) }),
    ApiExtension(BODY_NOTE, bodyOf(spec) ?? null),
    ...headersOf(spec).map((name) => ApiHeader({ name, required: false, schema: { type: 'string' } })),
    ...answersOf(spec),
    ...refusalsOf(spec),
  );

const headersOf = ({ headers = [], ifMatch }: OperationSpec): string[] => [
  ...headers,
  ...(ifMatch ? ['If-Match'] : []),
];

const spokenOf = ({ summary, description }: OperationSpec): string =>
  description === undefined ? `${summary}.` : `${summary}. ${description}`;

function bodyOf({ body, examples }: OperationSpec): object | undefined {
  if (body === undefined) return undefined;
  const content = { schema: jsonSchema(body), ...(examples && { examples }) };
  return { required: true, content: { 'application/json': content } };
}

const reference = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });

const answersOf = ({ answers }: OperationSpec): MethodDecorator[] =>
  ([200, 201, 202] as const).flatMap((status) => {
    const answer = answers[status];
    if (answer === undefined) return [];
    const type = answer === 'Events' ? 'text/event-stream' : 'application/json';
    return [ApiResponse({ status, description: SAID[status], content: { [type]: { schema: reference(answer) } } })];
  });

/** One response for each status, which names the codes that come with it. */
function refusalsOf({ body, ifMatch, refuses = [] }: OperationSpec): MethodDecorator[] {
  const codes = new Set<ErrorCode>([...ANYWHERE, ...(body ? WITH_BODY : []), ...refuses]);
  if (ifMatch) codes.add('VERSION_CHANGED');
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
  return [...byStatus].map(([status, some]) =>
    ApiResponse({
      status,
      description: some.map((code) => `${code}: ${ERRORS[code].message}`).join('\n\n'),
      schema: reference('Error'),
    }),
  );
}
