import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { jsonSchema } from '../../schemas/json-schema.js';

/** What is said of an endpoint that others have described long ago. */
interface OpenAiOperation {
  id: string;
  summary: string;
  body?: z.ZodType;
}

const whole = z.looseObject({ object: z.string() });
const refusal = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
});

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'A parameter is wrong, or no model supports it; param names it.',
  401: 'invalid_api_key',
  403: 'The roles, or the key, do not allow it.',
  404: 'model_not_found',
  409: 'The request was cancelled.',
  413: 'The body is larger than 4 MiB.',
  415: 'Send the body as application/json.',
  422: 'No rule takes it, or the Idempotency-Key was used with another body.',
  429: 'rate_limit_exceeded or insufficient_quota',
  500: 'Something went wrong on our side.',
  502: 'No model could answer.',
  503: 'overloaded',
  504: 'No model answered in time.',
};
/** How a client names its call, to send it again or to come back for the answer. */
const NAMED = ApiHeader({ name: 'Idempotency-Key', required: false, schema: { type: 'string' } });
/** Those of a call that has no body. */
const OF_ANY = ['400', '401', '403', '404', '500', '503'];

/** Describes an endpoint of OpenAI's; see docs/openai.md. */
export const OpenAiOperation = ({ id, summary, body }: OpenAiOperation): MethodDecorator & ClassDecorator =>
  applyDecorators(
    ApiTags('openai'),
    ApiOperation({ operationId: id, summary, description: `${summary}.` }),
    ...(body ? [ApiBody({ required: true, schema: jsonSchema(body) }), NAMED] : []),
    ApiResponse({ status: 200, description: 'Done.', schema: jsonSchema(whole) }),
    ...Object.entries(REFUSALS)
      .filter(([status]) => body !== undefined || OF_ANY.includes(status))
      .map(([status, description]) =>
        ApiResponse({ status: Number(status), description, schema: jsonSchema(refusal) }),
      ),
  );
