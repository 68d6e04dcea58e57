// One client of OpenAI's wire format, the same for every party. All times in milliseconds.
import { Agent, request } from 'node:http';
import { createParser } from 'eventsource-parser';
import { answerOf, promptOf } from './openai-plan.mjs';

/**
 * @param {{ base: string, model: string, headers?: object }} party `base` with `/v1`
 * @param {import('./openai-plan.mjs').Model} model whose answers are expected
 * @returns {(marker: string, stream: boolean) => Promise<{ first?: number, total: number, problem?: string }>} one call:
 *   `first` is the first chunk with content, `total` the last byte; `problem` is there where the answer is not the
 *   model's
 */
export function caller(party, model) {
  const { hostname, port, pathname } = new URL(`${party.base}/chat/completions`);
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const headers = { 'content-type': 'application/json', ...party.headers };
  const options = { hostname, port, path: pathname, method: 'POST', agent, headers };
  return (marker, stream) =>
    new Promise((resolve) => {
      const body = JSON.stringify(bodyOf(party.model, marker, stream));
      const answer = new Reading(stream);
      const call = request(options, (response) => {
        response.setEncoding('utf8').on('data', (text) => answer.feed(text));
        response.on('end', () => resolve(answer.end(response.statusCode, answerOf(model, marker).join(''))));
        response.on('error', (error) => resolve(answer.broken(error)));
      });
      call.on('error', (error) => resolve(answer.broken(error)));
      call.end(body);
    });
}

const bodyOf = (model, marker, stream) => ({
  model,
  messages: [{ role: 'user', content: promptOf(marker) }],
  max_tokens: 200,
  ...(stream && { stream: true, stream_options: { include_usage: true } }),
});

/** An answer as it comes; it is judged only when its times are taken. */
class Reading {
  began = performance.now();
  text = '';
  chunks = [];
  first;

  constructor(stream) {
    this.stream = stream;
    this.parser = createParser({ onEvent: ({ data }) => this.chunk(data) });
  }

  feed(text) {
    if (this.stream) this.parser.feed(text);
    if (!this.stream || this.text.length < 500) this.text += text;
  }

  chunk(data) {
    this.chunks.push(data);
    if (this.first === undefined && contentOf(data) !== '') this.first = performance.now() - this.began;
  }

  end(status, expected) {
    const times = { first: this.first, total: performance.now() - this.began };
    const problem = status === 200 ? this.wrong(expected) : `status ${status}: ${this.text.slice(0, 300)}`;
    return problem === undefined ? times : { ...times, problem };
  }

  broken(error) {
    return { total: performance.now() - this.began, problem: `broken: ${error.code ?? error.message}` };
  }

  wrong(expected) {
    if (!this.stream) return JSON.parse(this.text).choices[0].message.content === expected ? undefined : 'another text';
    if (this.chunks.at(-1) !== '[DONE]') return `no [DONE]: ${this.chunks.at(-1)?.slice(0, 300)}`;
    return this.chunks.map(contentOf).join('') === expected ? undefined : 'another text';
  }
}

function contentOf(data) {
  if (data === '[DONE]') return '';
  return JSON.parse(data).choices?.[0]?.delta?.content ?? '';
}

/**
 * A closed loop: so many callers at once, each of which asks again when it is answered, until all markers are used or the
 * time is over.
 * @returns {Promise<{ calls: Map<string, object>, perSecond: number }>} the calls by their markers
 */
export async function turn(call, markers, { atOnce, stream, limitMs }) {
  const calls = new Map();
  const left = markers.toReversed();
  const began = performance.now();
  const life = async () => {
    while (left.length > 0 && performance.now() - began < limitMs) {
      const marker = left.pop();
      calls.set(marker, await call(marker, stream));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, life));
  return { calls, perSecond: (calls.size / (performance.now() - began)) * 1000 };
}
