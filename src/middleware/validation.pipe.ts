import { StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { AppError, type Fault } from '../errors/app-error.js';
import { complaintsOf } from './error.filter.js';

type Issues = Parameters<StandardSchemaValidationPipe['formatIssueMessages']>[0];

/** What schemas found wrong, until it is known of which part of a request. */
class Misfit extends Error {
  constructor(readonly issues: Issues) {
    super('does not fit');
  }
}

/** Checks what clients send against the schemas that routes name, and tells a bad address from a bad body. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new Misfit(issues) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      throw refusal(metadata, complaintsOf(this.formatIssueMessages(error.issues)), faultOf(error.issues[0]));
    }
  }
}

function refusal({ type }: ArgumentMetadata, complaints: string, fault: Fault): AppError {
  if (type === 'body') {
    return new AppError('BODY_INVALID', `The request does not fit the schema: ${complaints}.`, {}, { fault });
  }
  const where = type === 'param' ? 'path' : 'query';
  return new AppError('QUERY_INVALID', `The ${where} does not fit the schema: ${complaints}.`);
}

/** The field at the top that is at fault, and OpenAI's word for it where the schema knows one. */
function faultOf(issue: Issues[number] | undefined): Fault {
  const [first] = issue?.path ?? [];
  const name = typeof first === 'object' ? first.key : first;
  return { param: typeof name === 'string' ? name : null, code: issue && codeOf(issue) };
}

/** Schemas of ours say it in the `params` of an issue, which the standard does not know of. */
function codeOf(issue: object): string | undefined {
  const params: unknown = 'params' in issue ? issue.params : undefined;
  const named = typeof params === 'object' && params !== null && 'code' in params ? params.code : undefined;
  return typeof named === 'string' ? named : undefined;
}
