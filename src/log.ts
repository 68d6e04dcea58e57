import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, pino, type Logger } from 'pino';

/** Whatever carries a secret or a text of a person, should it ever be logged by mistake. */
const REDACTED = ['key', 'token', 'secret', 'password', 'authorization', 'apiKey', 'prompt', 'text', 'messages'];
const paths = REDACTED.flatMap((name) => [name, `*.${name}`]);

/** An error without what its cause may quote: SQL parameters, bodies, headers. */
const plainError = (error: unknown): unknown =>
  error instanceof Error
    ? { name: error.name, message: error.message, stack: error.stack, cause: plainError(error.cause) }
    : undefined;

/** The process's logger: JSON lines, to a file if one is named, else to standard output. */
export function createLogger(process: string, level: string, file?: string): Logger {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  const options = {
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths, censor: '[redacted]' },
    serializers: { err: plainError },
  };
  return pino(options, destination(file === undefined ? 1 : { dest: file, sync: false, mkdir: true }));
}
