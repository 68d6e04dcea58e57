import type { AppError } from './app-error.js';
import type { ErrorCode } from './catalogue.js';

/** How an error is told to clients of OpenAI where that differs from what its status says. */
interface Told {
  status?: number;
  type?: string;
  code?: string;
  param?: string;
  /** The stack itself has tried again, or another try would meet the same: OpenAI's libraries are told to leave it. */
  final?: true;
}

const REQUESTS = { type: 'rate_limit_error', code: 'rate_limit_exceeded' };
const OVERLOADED = { code: 'overloaded' };
const GIVEN_UP = { final: true } as const;

/** What differs from the rule: type by status, code in lower case. */
const TOLD: Partial<Record<ErrorCode, Told>> = {
  UNAUTHENTICATED: { code: 'invalid_api_key' },
  MODEL_NOT_FOUND: { code: 'model_not_found', param: 'model' },
  CREW_NOT_FOUND: { code: 'model_not_found', param: 'model' },
  CREW_INPUTS_INVALID: { code: 'invalid_value', param: 'messages' },
  CREW_FAILED: GIVEN_UP,
  CREW_REJECTED: GIVEN_UP,
  CREW_STOPPED: GIVEN_UP,
  BAD_JSON: { code: 'invalid_json' },
  BODY_INVALID: { code: 'invalid_value' },
  PARAMETER_UNSUPPORTED: { code: 'unsupported_parameter' },
  PROMPT_TOO_LONG: { status: 400, code: 'context_length_exceeded', param: 'messages' },
  IDEMPOTENCY_CONFLICT: GIVEN_UP,
  RATE_LIMITED: REQUESTS,
  QUEUE_SHARE_FULL: REQUESTS,
  BUDGET_EXHAUSTED: { type: 'insufficient_quota', code: 'insufficient_quota', ...GIVEN_UP },
  QUEUE_FULL: OVERLOADED,
  PROVIDERS_COOLING: OVERLOADED,
  PROVIDER_FAILED: GIVEN_UP,
  PROVIDER_TIMEOUT: GIVEN_UP,
  DEADLINE_EXCEEDED: GIVEN_UP,
  STREAM_INTERRUPTED: GIVEN_UP,
  REQUEST_CANCELLED: GIVEN_UP,
};

/** The body of every refusal under `/v1`. */
export interface OpenAiErrorBody {
  error: { message: string; type: string; param: string | null; code: string };
}

export interface OpenAiError {
  status: number;
  body: OpenAiErrorBody;
  headers: Readonly<Record<string, string>>;
}

/** An error in the form of OpenAI: status, body, and whether its libraries should try again. */
export function openAiError(error: AppError): OpenAiError {
  const told = TOLD[error.code] ?? {};
  const status = told.status ?? error.status;
  const code = error.fault?.code ?? told.code ?? error.code.toLowerCase();
  const type = told.type ?? typeOf(status);
  const headers: Record<string, string> = told.final ? { 'x-should-retry': 'false' } : {};
  return { status, body: { error: { message: spoken(error), type, param: paramOf(error, told), code } }, headers };
}

function typeOf(status: number): string {
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

function paramOf({ fault, detail }: AppError, told: Told): string | null {
  const param = fault?.param ?? detail.param;
  return typeof param === 'string' ? param : (told.param ?? null);
}

/** Dify tries again with other parameters where it reads these words, so they are said in others. */
const DIFY_ACTS_ON: readonly [RegExp, string][] = [
  [/budget_tokens/gi, 'the budget'],
  [/integer_below_min_value/gi, 'a number that is too small'],
  [/thinking/gi, 'reasoning'],
];

/** Message and reason in one sentence. Clients see no attempts. */
function spoken({ message, detail }: AppError): string {
  const { required_entitlement: needed } = detail;
  const reason = typeof needed === 'string' ? `${needed} is needed` : detail.reason;
  const sentence = message.replace('; see attempts', '');
  const whole = typeof reason === 'string' && reason !== '' ? `${sentence.replace(/\.$/, '')}: ${reason}.` : sentence;
  return DIFY_ACTS_ON.reduce((text, [word, other]) => text.replace(word, other), whole);
}
