import { setTimeout as sleep } from 'node:timers/promises';

/** The administrator's key of every installation. */
export const KEY = 'chaos-key-of-the-administrator';

/**
 * A client that behaves as a good one does: it repeats a submission under the same Idempotency-Key until it is told
 * that the request was accepted, and then asks for the outcome until there is one.
 */
export class MemberClient {
  constructor(url, key) {
    Object.assign(this, { url, key, refusals: 0 });
  }

  headers(more = {}) {
    return { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', ...more };
  }

  /** Submits until accepted; gives the request's id. A refusal because of load is no end: come back as told. */
  async submit({ marker, prompt = `chaos #${marker}`, metadata = {}, mode = 'chat' }) {
    const body = JSON.stringify({ prompt, mode, metadata: { user_id: 'tg:12345', ...metadata } });
    const headers = this.headers({ 'idempotency-key': marker, prefer: 'wait=0' });
    for (;;) {
      const answer = await this.call('/route', { method: 'POST', headers, body });
      if (answer && answer.status < 300) return answer.body.request_id;
      if (answer && answer.status < 500 && answer.status !== 429)
        throw new Error(`refused for good: ${JSON.stringify(answer.body)}`);
      this.refusals += 1;
      await sleep(answer?.retryAfterMs ?? 200);
    }
  }

  /** The final body of a request, or undefined if it has none by the limit. */
  async outcome(requestId, limit, user = 'tg:12345') {
    while (Date.now() < limit) {
      const answer = await this.call(`/requests/${requestId}?user_id=${user}`, { headers: this.headers() });
      const status = answer?.status === 200 ? answer.body.status : undefined;
      if (status !== undefined && status !== 'accepted' && status !== 'running') return answer.body;
      await sleep(250);
    }
    return undefined;
  }

  async call(path, options) {
    try {
      const response = await fetch(this.url + path, { ...options, signal: AbortSignal.timeout(10_000) });
      const seconds = Number(response.headers.get('retry-after'));
      return {
        status: response.status,
        body: await response.json(),
        ...(seconds > 0 && { retryAfterMs: seconds * 1000 }),
      };
    } catch {
      return undefined;
    }
  }
}
