import { HttpException, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';

/** Checks what clients send against the schemas that routes name, and tells a bad address from a bad body. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (metadata.type === 'body' || !(error instanceof HttpException)) throw error;
      const response = error.getResponse();
      const messages = typeof response === 'object' && 'message' in response ? response.message : response;
      const where = metadata.type === 'param' ? 'path' : 'query';
      throw new AppError('QUERY_INVALID', `The ${where} does not fit the schema: ${[messages].flat().join('; ')}.`);
    }
  }
}
