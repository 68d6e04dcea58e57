import type { ResponseParameters } from 'grammy/types';

/** A call that the Bot API answers with an error. */
export class Refusal extends Error {
  readonly code: number;
  readonly parameters: ResponseParameters | undefined;
  /** Whether the form of the call is to blame, and not the state of things: no bot should ever get this. */
  readonly malformed: boolean;

  constructor(code: number, description: string, parameters?: ResponseParameters, malformed = false) {
    super(description);
    this.code = code;
    this.parameters = parameters;
    this.malformed = malformed;
  }

  /** The body of the answer. */
  get body(): object {
    const { code, message, parameters } = this;
    return { ok: false, error_code: code, description: message, ...(parameters && { parameters }) };
  }
}

export const badRequest = (what: string, parameters?: ResponseParameters): Refusal =>
  new Refusal(400, `Bad Request: ${what}`, parameters);

/** Of a call that can never be right. Some of this the real server lets pass, or mends silently. */
export const malformed = (what: string): Refusal => new Refusal(400, `Bad Request: ${what}`, undefined, true);

export const forbidden = (what: string): Refusal => new Refusal(403, `Forbidden: ${what}`);

export const conflict = (what: string): Refusal => new Refusal(409, `Conflict: ${what}`);

export const tooMany = (seconds: number): Refusal =>
  new Refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
