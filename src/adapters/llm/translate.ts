import type { FailureType } from '../../contracts/failures.js';
import { BrokenAnswer, EmbeddedFault, type EmbeddedReason, HttpRefusal, NothingSaid } from './faults.js';
import { ProviderError } from './provider.js';
import { isTimeout, retryAfter, transportCode } from './transport.js';

/** What is known about a call when it fails. */
export interface FailureContext {
  provider: string;
  model: string;
  signal: AbortSignal;
  /** Whether somebody may have seen a part of this answer: then nothing but `StreamInterrupted` tells the truth. */
  textYielded: boolean;
}

/** An endpoint's refusal, reduced to what can be judged. `text` is matched against, never shown. */
interface Refusal {
  status: number;
  code: string;
  text: string;
  headers: Headers | undefined;
}

type Sentence = readonly [FailureType, string, (number | undefined)?];

const CONTEXT_LENGTH =
  /context[ _-]?(length|size|window)|maximum context|(input|prompt) (is too long|too long|length exceeds)/i;
/** A limit of tokens a minute that one request alone exceeds: no wait makes it fit. */
const TOO_LARGE = /request too large|must be reduced|reduce your message/i;
/** Codes and types that are about the key. Moderation and firewalls answer 403 too, and those judge the prompt. */
const ABOUT_THE_KEY = /api[ _-]?key|permission|authentication|authorization|unauthori[sz]ed/i;
const QUOTA = /insufficient_quota|billing|insufficient balance/i;

/** A 4xx that means "not now" rather than "not like this"; 499 is Ollama giving up a request by itself. */
const PASSING = [408, 409, 425, 499];

const tooLong = (provider: string, model: string, http: string): Sentence => [
  'ContextLengthExceeded',
  `the messages are longer than ${model} at ${provider} can read (${http})`,
];

/** 429: asked too often, or once for more than may ever be asked, or without money. */
function judgeTooMany({ code, text, headers }: Refusal, { provider, model }: FailureContext): Sentence {
  const said = `${code} ${text}`;
  const http = 'HTTP 429';
  if (CONTEXT_LENGTH.test(said) || TOO_LARGE.test(said)) return tooLong(provider, model, http);
  if (QUOTA.test(said)) return ['ProviderRejected', `the quota at ${provider} is used up (${http})`];
  return ['RateLimited', `${provider} asks to slow down (${http})`, retryAfter(headers)];
}

function judge(refusal: Refusal, context: FailureContext): Sentence {
  const { status, code, text, headers } = refusal;
  const { provider, model } = context;
  const http = `HTTP ${status}`;
  if (status === 401 || (status === 403 && ABOUT_THE_KEY.test(code))) {
    return ['AuthenticationFailed', `${provider} refused the API key (${http})`];
  }
  if (status === 429) return judgeTooMany(refusal, context);
  if (CONTEXT_LENGTH.test(`${code} ${text}`) && [400, 413, 422, 500].includes(status)) {
    return tooLong(provider, model, http);
  }
  if (status === 404) {
    if (/model/i.test(`${code} ${text}`)) return ['ModelNotFound', `${provider} has no model "${model}" (${http})`];
    return ['ProviderRejected', `${provider} has nothing at this address (${http}): check its base URL`];
  }
  if (status >= 500 || PASSING.includes(status)) {
    return ['ProviderUnavailable', `${provider} cannot answer now (${http})`, retryAfter(headers)];
  }
  return ['ProviderRejected', `${provider} refused the request (${http})`];
}

/** Failures that look alike whatever library met them. */
function judgeCommon(error: unknown, { provider }: FailureContext): Sentence {
  if (error instanceof NothingSaid) {
    return ['EmptyAnswer', `${provider} answered without text (finish reason ${error.finishReason})`];
  }
  if (error instanceof BrokenAnswer) {
    return ['ProviderUnavailable', `${provider} broke off before the first word (${error.reason})`];
  }
  if (isTimeout(error)) return ['ProviderTimeout', `${provider} did not answer in time`];
  const code = transportCode(error);
  return ['ProviderUnavailable', `${provider} does not answer${code === undefined ? '' : ` (${code})`}`];
}

/**
 * The end of every translation. The library's error is left behind on purpose: its message and body may repeat the
 * prompt or the key, and a `cause` reaches the log.
 */
function conclude(
  context: FailureContext,
  [type, message, retryAfterMs]: Sentence,
  more: { cause?: unknown; parameter?: string } = {},
): ProviderError {
  const { provider, textYielded } = context;
  if (textYielded) return new ProviderError('StreamInterrupted', `${provider} broke off in the middle of its answer`);
  return new ProviderError(type, message, retryAfterMs, more);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A name on the wire. It is passed on, so it must not be an endpoint's free text. */
const PARAMETER = /^[a-z_][\w.[\]]{0,63}$/i;

/** The parameter that a refusal is about, where the endpoint names one. */
function parameterOf(status: number, error: Error): { parameter?: string } {
  if ((status !== 400 && status !== 422) || !('param' in error)) return {};
  const parameter = textOf(error.param);
  return PARAMETER.test(parameter) ? { parameter } : {};
}

/** Statuses of the codes that an OpenAI-compatible endpoint sends after it has already answered 200. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  context_length_exceeded: 400,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  model_not_found: 404,
  invalid_api_key: 401,
};

/**
 * Turns what the `openai` library threw into a `ProviderError`. Judged by shape, not by class, so that the library
 * (a second to load) need not be there.
 * @throws the reason of the signal, if it was aborted
 */
export function translateOpenAiError(error: unknown, context: FailureContext): ProviderError {
  context.signal.throwIfAborted();
  if (error instanceof ProviderError) return error;
  if (!(error instanceof Error) || !('status' in error)) return conclude(context, judgeCommon(error, context));
  const code = 'code' in error ? textOf(error.code) : '';
  const type = 'type' in error ? textOf(error.type) : '';
  const headers = 'headers' in error && error.headers instanceof Headers ? error.headers : undefined;
  const status = typeof error.status === 'number' ? error.status : STATUS_OF_CODE[code];
  if (status !== undefined) {
    const sentence = judge({ status, code: `${code} ${type}`, text: error.message, headers }, context);
    return conclude(context, sentence, parameterOf(status, error));
  }
  // Without a status it is a broken connection, or an error event in the middle of a stream.
  const inStream = 'error' in error && error.error !== undefined;
  const sentence: Sentence = ['ProviderUnavailable', `${context.provider} reported an error instead of an answer`];
  return conclude(context, inStream ? sentence : judgeCommon(error, context));
}

/** Whether a model refused to be asked about thinking, which is no reason to give it up. */
export const refusesThink = (error: unknown): boolean =>
  error instanceof HttpRefusal && error.status === 400 && /\bthink/i.test(error.text);

/**
 * Turns what the `ollama` library, or our `fetch` below it, threw into a `ProviderError`.
 * @throws the reason of the signal, if it was aborted
 */
export function translateOllamaError(error: unknown, context: FailureContext): ProviderError {
  context.signal.throwIfAborted();
  if (error instanceof ProviderError) return error;
  if (error instanceof HttpRefusal) {
    return conclude(
      context,
      judge({ status: error.status, code: '', text: error.text, headers: error.headers }, context),
    );
  }
  return conclude(context, judgeCommon(error, context));
}

const EMBEDDED: Readonly<Record<EmbeddedReason, readonly [FailureType, string]>> = {
  aborted: ['ProviderUnavailable', 'stopped the answer by itself'],
  // Its queue is ours, and everybody's: that it is full says nothing against the model.
  busy: ['QueueFull', 'has too many calls waiting'],
  context: ['ContextLengthExceeded', 'cannot read messages as long as these'],
  crashed: ['ProviderUnavailable', 'crashed; it starts again with the next call'],
  missing: ['ModelNotFound', 'has no model file at the configured path'],
  unloadable: ['ProviderUnavailable', 'could not load its model file'],
  closed: ['ProviderUnavailable', 'is shutting down'],
  internal: ['ProviderUnavailable', 'failed while it generated'],
};

const causeOf = ({ cause }: Error): { cause?: unknown } => (cause === undefined ? {} : { cause });

/** What a caller of a full embedded model is asked to wait: about one short answer. */
const BUSY_RETRY_MS = 2_000;

/**
 * Turns a failure of the embedded model's process into a `ProviderError`. Its cause is kept: it holds what the process
 * last wrote about itself, and no message of a call.
 * @throws the reason of the signal, if it was aborted
 */
export function translateEmbeddedError(error: unknown, context: FailureContext): ProviderError {
  context.signal.throwIfAborted();
  if (error instanceof ProviderError) return error;
  if (!(error instanceof EmbeddedFault)) return conclude(context, judgeCommon(error, context));
  const [type, sentence] = EMBEDDED[error.reason];
  const wait = error.reason === 'busy' ? BUSY_RETRY_MS : undefined;
  return conclude(context, [type, `${context.provider} ${sentence}`, wait], causeOf(error));
}
