/** Every error that leaves the product: code, HTTP status, default sentence. `docs/errors.md` lists the same codes. */
export const ERRORS = {
  BAD_JSON: { status: 400, message: 'The body is not valid JSON.' },
  BODY_INVALID: { status: 400, message: 'The body does not fit the schema.' },
  QUERY_INVALID: { status: 400, message: 'The query or path does not fit the schema.' },
  DAO_REQUIRED: { status: 400, message: 'This key opens several DAOs: name one in dao_id.' },
  UNAUTHENTICATED: {
    status: 401,
    message: 'A valid API key is needed: send "Authorization: Bearer KEY" or "X-API-Key: KEY".',
  },
  RBAC_PERMISSION_DENIED: { status: 403, message: 'The roles of this user do not allow that.' },
  ACTING_NOT_ALLOWED: { status: 403, message: 'This key acts only as its own principal: leave out user_id.' },
  DAO_FORBIDDEN: { status: 403, message: 'This key does not open that DAO.' },
  NOT_FOUND: { status: 404, message: 'There is nothing here.' },
  DAO_NOT_FOUND: { status: 404, message: 'There is no such DAO.' },
  REQUEST_NOT_FOUND: { status: 404, message: 'There is no such request, or it is not yours.' },
  KEY_NOT_FOUND: { status: 404, message: 'There is no such key.' },
  REQUEST_CANCELLED: { status: 409, message: 'The request was cancelled.' },
  REQUEST_ENDED: { status: 409, message: 'The request has already ended.' },
  BODY_TOO_LARGE: { status: 413, message: 'The body is larger than 4 MiB.' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, message: 'Send the body as application/json.' },
  NO_ROUTE: { status: 422, message: 'No routing rule takes this request.' },
  MODE_UNAVAILABLE: { status: 422, message: 'This mode is not available on this installation.' },
  PROMPT_TOO_LONG: { status: 422, message: 'The prompt does not fit any model that the rules allow.' },
  IDEMPOTENCY_CONFLICT: { status: 422, message: 'This Idempotency-Key was used with another body.' },
  CONFIG_NOT_WAITING: { status: 409, message: 'No configuration of this hash is waiting to be confirmed.' },
  RATE_LIMITED: { status: 429, message: 'Too many requests for now; come back after Retry-After.' },
  BUDGET_EXHAUSTED: { status: 429, message: 'The tokens of this month are used up.' },
  QUEUE_SHARE_FULL: {
    status: 429,
    message: 'This DAO has as many requests waiting as it may; come back after Retry-After.',
  },
  INTERNAL: { status: 500, message: 'Something went wrong on our side; the log has it under this request_id.' },
  PROVIDER_FAILED: { status: 502, message: 'No model could answer; see attempts.' },
  STREAM_INTERRUPTED: { status: 502, message: 'The model broke off in the middle of its answer.' },
  QUEUE_FULL: {
    status: 503,
    message: 'No model could answer in time: too many requests wait. Come back after Retry-After.',
  },
  PROVIDERS_COOLING: {
    status: 503,
    message: 'Every model that could answer has failed of late and is resting. Come back after Retry-After.',
  },
  STORE_UNAVAILABLE: { status: 503, message: 'The database does not answer; try again shortly.', retryAfter: 2 },
  TEMPORAL_UNAVAILABLE: {
    status: 503,
    message: 'Temporal does not answer, so nothing was accepted; try again shortly.',
    retryAfter: 2,
  },
  SHUTTING_DOWN: { status: 503, message: 'This process is shutting down; try again shortly.', retryAfter: 2 },
  PROVIDER_TIMEOUT: { status: 504, message: 'No model answered in time; see attempts.' },
  DEADLINE_EXCEEDED: { status: 504, message: 'The time for this request ran out.' },
  // Errors of the command line and of start-up; they have no caller over HTTP.
  CONFIG_INVALID: { status: 500, message: 'The configuration is not valid.' },
  HOME_LOCKED: { status: 500, message: 'Another process has this DAGI_HOME open.' },
  SETUP_FAILED: { status: 500, message: 'A part that is needed could not be set up.' },
} as const satisfies Record<string, { status: number; message: string; retryAfter?: number }>;

export type ErrorCode = keyof typeof ERRORS;
