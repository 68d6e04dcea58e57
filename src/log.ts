import { destination, pino, type Logger } from 'pino';
import { openLogFile, type Rotation } from './log-file.js';

/** Whatever carries a secret or a text of a person, should it ever be logged by mistake. */
const SECRETS = [
  'key',
  'apiKey',
  'api_key',
  'x-api-key',
  'token',
  'secret',
  'password',
  'authorization',
  'cookie',
  'prompt',
  'text',
  'messages',
  'answer',
  'content',
];
const REDACTED = new Set(SECRETS.map((name) => name.toLowerCase()));
const CENSOR = '[redacted]';
/** No line of ours is deeper; what is, was not meant to be logged. */
const DEEPEST = 6;

/** An error without what its cause may quote: SQL parameters, bodies, headers. */
const plainError = (error: unknown): unknown =>
  error instanceof Error
    ? { name: error.name, message: error.message, stack: error.stack, cause: plainError(error.cause) }
    : undefined;

/** A value without secrets and texts, at whatever depth. */
function redact(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return plainError(value);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  if (depth > DEEPEST) return CENSOR;
  if (Array.isArray(value)) return value.map((part) => redact(part, depth + 1));
  return redactFields(value, depth);
}

const redactFields = (fields: object, depth = 0): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, part]) => [
      name,
      REDACTED.has(name.toLowerCase()) ? CENSOR : redact(part, depth + 1),
    ]),
  );

/** Where log lines go: to a file if one is named, else to standard output. */
export interface LogOptions {
  file?: string | undefined;
  rotation?: Rotation | undefined;
}

/** The process's logger: JSON lines. */
export function createLogger(process: string, level: string, { file, rotation }: LogOptions = {}): Logger {
  const options = {
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: object) => redactFields(fields),
    },
    // What a child is bound to passes no formatter.
    redact: { paths: SECRETS.map((name) => `["${name}"]`), censor: CENSOR },
    serializers: { err: (plain: unknown) => plain },
  };
  return pino(options, file === undefined ? destination(1) : openLogFile(file, rotation));
}
