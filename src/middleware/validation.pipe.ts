import { HttpException, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { complaintsOf } from './error.filter.js';

/** Checks what clients send against the schemas that routes name, and tells a bad address from a bad body. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (metadata.type === 'body' || !(error instanceof HttpException)) throw error;
      const where = metadata.type === 'param' ? 'path' : 'query';
      throw new AppError('QUERY_INVALID', `The ${where} does not fit the schema: ${complaintsOf(error)}.`);
    }
  }
}
