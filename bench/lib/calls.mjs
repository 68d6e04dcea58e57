// One question of a member, asked in one of two ways, with the moments of its answer. All times in milliseconds.
import { Agent, request } from 'node:http';
import { createParser } from 'eventsource-parser';

const agent = new Agent({ keepAlive: true, maxSockets: 512 });

/**
 * @typedef {object} Asked
 * @property {'answered' | 'refused' | 'failed' | 'timeout'} outcome
 * @property {number} total until the end of the answer, or until it was given up
 * @property {number} [accepted] until the first event
 * @property {number} [first] until the first token
 * @property {number} [attempt] until the call to the model began
 * @property {{ at: number, expected: number, position: number }} [queue] the first word on the wait
 * @property {number} [status] HTTP status of a refusal
 * @property {number} [retryAfterMs] of a refusal
 * @property {string} [code] of a refusal or a failure
 */

/** The text of a question: its marker decides the answer's length, and the fake reads from it whom it served. */
export const questionOf = ({ dao, member, marker }) =>
  `Load #${marker} dao=${dao} member=${member} What did we decide about the common budget last week, and who voted?`;

/**
 * The old way: straight to the model, one timeout, nothing else.
 * @returns {(question: object) => Promise<Asked>}
 */
export function plainCaller({ url, timeoutMs }) {
  return (question) => {
    const body = { model: 'fake-model', messages: [{ role: 'user', content: questionOf(question) }] };
    let complete = false;
    return exchange(`${url}/api/chat`, { body, timeoutMs }, (text, asked, now) => {
      if (asked.first === undefined && text.includes('"content":"')) asked.first = now;
      if (text.includes('"done":true')) complete = true;
      if (complete) asked.outcome = 'answered';
    });
  };
}

/**
 * Through the product, as a stream of events.
 * @returns {(question: object) => Promise<Asked>}
 */
export function routeCaller({ url, key, timeoutMs = 180_000 }) {
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${key}` };
  return (question) => {
    const body = { prompt: questionOf(question), metadata: { dao_id: question.dao, user_id: question.member } };
    let notes;
    const parser = createParser({
      onEvent: (event) => {
        noteEvent(notes.asked, event, notes.now);
      },
    });
    return exchange(`${url}/route`, { body, headers, timeoutMs }, (text, asked, now) => {
      notes = { asked, now };
      parser.feed(text);
    });
  };
}

function noteEvent(asked, { event, data }, now) {
  asked.accepted ??= now;
  if (event === 'token') asked.first ??= now;
  else if (event === 'attempt') asked.attempt ??= now;
  else if (event === 'done') asked.outcome = 'answered';
  else if (event === 'error') Object.assign(asked, { outcome: 'failed', code: JSON.parse(data).error?.code });
  else if (event === 'queue' && asked.queue === undefined) {
    const { expected_wait_ms: expected, position } = JSON.parse(data);
    asked.queue = { at: now, expected, position };
  }
}

/** Posts a body and hands on the pieces of the answer; an answer that is none of success is a refusal. */
function exchange(url, { body, headers = {}, timeoutMs }, onText) {
  return new Promise((resolve) => {
    const began = performance.now();
    const asked = { outcome: 'failed', total: 0 };
    let refusal = '';
    const end = (more = {}) => {
      clearTimeout(timer);
      resolve(Object.assign(asked, { total: performance.now() - began, ...more }));
    };
    const options = { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } };
    const call = request(url, options, (response) => {
      response.setEncoding('utf8').on('data', (text) => {
        if (response.statusCode === 200) onText(text, asked, performance.now() - began);
        else refusal += text;
      });
      response.on('end', () => end(response.statusCode === 200 ? {} : refusalOf(response, refusal)));
      response.on('error', () => end(timer.fired ? { outcome: 'timeout' } : { code: 'broken stream' }));
    });
    const timer = setTimeout(() => {
      timer.fired = true;
      call.destroy();
    }, timeoutMs);
    call.on('error', (error) => end(timer.fired ? { outcome: 'timeout' } : { code: error.code }));
    call.end(JSON.stringify(body));
  });
}

function refusalOf({ statusCode: status, headers }, text) {
  const seconds = Number(headers['retry-after']);
  const outcome = status === 429 || status === 503 ? 'refused' : 'failed';
  return { outcome, status, code: codeOf(text), retryAfterMs: seconds > 0 ? seconds * 1000 : undefined };
}

function codeOf(text) {
  try {
    return JSON.parse(text).error.code;
  } catch {
    return text.slice(0, 100);
  }
}
