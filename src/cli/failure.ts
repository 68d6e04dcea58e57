import { AppError, type ErrorDetail } from '../errors/app-error.js';
import { plain } from './plain-text.js';

/** A failure that the command line tells in one line: a code and a sentence with the remedy. */
export class CliError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly detail: ErrorDetail = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'CliError';
  }
}

/** How a failure is told: `CODE: sentence`; complaints about a profile have a line each. The stack is for those who debug. */
export function describeFailure(error: unknown, withStack: boolean): string {
  const known = error instanceof CliError || error instanceof AppError;
  const code = known ? error.code : 'INTERNAL';
  const sentence = error instanceof Error ? error.message : String(error);
  const lines = code === 'CONFIG_INVALID' ? sentence : sentence.replace(/\s*\n\s*/g, ' ');
  const line = `${code}: ${lines}`;
  return plain(withStack && error instanceof Error ? `${line}\n${error.stack ?? ''}${causeOf(error)}` : line);
}

const causeOf = (error: Error): string =>
  error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : '';
