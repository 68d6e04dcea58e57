import { ERRORS, type ErrorCode } from './catalogue.js';

/** Detail that a caller may see beside code and message. Never a secret, a prompt or another DAO's data. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** The one error class of the product: a code of the catalogue, a sentence to act on, and optional public detail. */
export class AppError extends Error {
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    message: string = ERRORS[code].message,
    readonly detail: ErrorDetail = {},
    private readonly options?: {
      cause?: unknown;
      retryAfterSeconds?: number;
      headers?: Readonly<Record<string, string>>;
    },
  ) {
    super(message, options);
    this.name = 'AppError';
    this.status = ERRORS[code].status;
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
}
