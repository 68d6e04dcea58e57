import { EventSourceParserStream, type EventSourceMessage } from 'eventsource-parser/stream';
import { toCliError } from './error-answer.js';
import { CliError } from './failure.js';
import type { Instance } from './instance.js';

interface CallOptions {
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** Leave the key out, to see what a stranger sees. */
  anonymous?: boolean;
}

/** The answer to a call, whatever its status. */
export interface Answer {
  status: number;
  body: unknown;
  /** The header `Retry-After`, in seconds. */
  retryAfterSeconds?: number | undefined;
}

/** HTTP client of the command line: JSON and server-sent events against a running instance. */
export class DagiClient {
  constructor(private readonly instance: Instance) {}

  get url(): string {
    return this.instance.url;
  }

  /**
   * Calls and gives the JSON body of a success.
   * @throws CliError with the code and sentence of the answer, or `UNREACHABLE`
   */
  async json(method: string, path: string, options: CallOptions = {}): Promise<unknown> {
    const answer = await this.call(method, path, options);
    if (answer.status >= 400) throw toCliError(answer);
    return answer.body;
  }

  /** Calls and gives the answer as it is. A `body` that is a string is sent unchanged. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await this.send(method, path, options);
    return answerOf(response);
  }

  /**
   * Calls and gives the events of the answer as they arrive. Ends when the stream does, be it early.
   * @throws CliError when the answer is an error instead of a stream
   */
  async *events(method: string, path: string, options: CallOptions = {}): AsyncGenerator<EventSourceMessage> {
    const headers = { ...options.headers, accept: 'text/event-stream' };
    const response = await this.send(method, path, { ...options, headers });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (!response.ok || !isStream || !response.body) {
      throw toCliError(await answerOf(response));
    }
    try {
      yield* response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    } catch (error) {
      // A broken stream is an early end: the caller knows whether it has all that it wants, and can resume.
      if (options.signal?.aborted) throw error;
    }
  }

  private async send(method: string, path: string, options: CallOptions): Promise<Response> {
    const { body, signal } = options;
    try {
      return await fetch(`${this.instance.url}${path}`, {
        method,
        headers: {
          ...(options.anonymous ? {} : { authorization: `Bearer ${this.instance.key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw unreachable(this.instance.url, error);
    }
  }
}

function unreachable(url: string, error: unknown): CliError {
  const { cause } = error as { cause?: { message?: string } };
  const why = cause?.message ?? String(error);
  const sentence = `${url} does not answer (${why}): start it with "npm run up", or correct DAGI_URL.`;
  return new CliError('UNREACHABLE', sentence, {}, { cause: error });
}

async function answerOf(response: Response): Promise<Answer> {
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  return {
    status: response.status,
    body: parseBody(await response.text()),
    ...(Number.isFinite(wait) ? { retryAfterSeconds: wait } : {}),
  };
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
