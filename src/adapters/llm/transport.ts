const TIMEOUT_CODES = ['ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'];

/** The error and everything that it names as its cause, outermost first. */
function* chain(error: unknown): Generator<object> {
  // Bounded: a cause may lead back to its own error.
  for (let depth = 0; depth < 8 && typeof error === 'object' && error !== null; depth++) {
    yield error;
    error = 'cause' in error ? error.cause : undefined;
  }
}

/** System code of a failed connection, such as `ECONNREFUSED`, wherever in the chain of causes it stands. */
export function transportCode(error: unknown): string | undefined {
  for (const link of chain(error)) {
    if ('code' in link && typeof link.code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(link.code)) return link.code;
  }
  return undefined;
}

/** Whether a time limit ended the connection: undici's own, the system's, or an `AbortSignal.timeout`. */
export function isTimeout(error: unknown): boolean {
  const code = transportCode(error);
  if (code !== undefined && TIMEOUT_CODES.includes(code)) return true;
  return [...chain(error)].some((link) => 'name' in link && link.name === 'TimeoutError');
}

/**
 * What an endpoint asks us to wait, in milliseconds: `retry-after-ms`, or `retry-after` as seconds or as a date.
 * Undefined if it says nothing that can be read.
 */
export function retryAfter(headers: Headers | undefined, now: number = Date.now()): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return Math.ceil(exact);
  const text = headers?.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1_000);
  // A date has letters; without that check `-4` would be the year 4.
  const date = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
