import type { ErrorObject } from '../contracts/bodies.js';
import { ERRORS, type ErrorCode } from './catalogue.js';

/** Detail that a caller may see beside code and message. Never a secret, a prompt or another DAO's data. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** What of a body is at fault: a field at its top, and a word of OpenAI's for the fault where there is one. */
export interface Fault {
  param: string | null;
  code?: string | undefined;
}

interface ErrorOptions {
  cause?: unknown;
  retryAfterSeconds?: number | undefined;
  headers?: Readonly<Record<string, string>>;
  fault?: Fault;
}

/** The one error class of the product: a code of the catalogue, a sentence to act on, and optional public detail. */
export class AppError extends Error {
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    message: string = ERRORS[code].message,
    readonly detail: ErrorDetail = {},
    private readonly options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'AppError';
    this.status = ERRORS[code].status;
  }

  /** The error that a recorded request ended with. */
  static recorded({ code, message, retry_after_s: wait, ...detail }: ErrorObject): AppError {
    const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'INTERNAL';
    return new AppError(known, message, detail, { retryAfterSeconds: typeof wait === 'number' ? wait : undefined });
  }

  /** Seconds for the `Retry-After` header, if the caller should come back: what is known here, else the code's own. */
  get retryAfterSeconds(): number | undefined {
    const entry: { status: number; retryAfter?: number } = ERRORS[this.code];
    return this.options?.retryAfterSeconds ?? entry.retryAfter;
  }

  /** Further headers of the answer over HTTP, by their names in lower case. */
  get headers(): Readonly<Record<string, string>> {
    return this.options?.headers ?? {};
  }

  /** What of the body is at fault, for clients that are told so beside the message. */
  get fault(): Fault | undefined {
    return this.options?.fault;
  }
}
