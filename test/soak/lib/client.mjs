import { Agent, request } from 'node:http';
import { createParser } from 'eventsource-parser';

/** One connection a call would hide what a kept one does: connections are kept, and closed by those who leave. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/**
 * Makes a call, reads as fast or slowly as asked, and leaves when asked.
 * @param {import('./plan.mjs').Ask} ask
 * @param {() => void} onLeave in the moment in which the client goes
 * @returns {Promise<{ outcome: 'answered' | 'left' | 'failed', problem?: string }>}
 */
export function exchange({ url, key }, ask, onLeave) {
  return new Promise((resolve) => new Exchange(ask, onLeave, resolve).send(url, key));
}

class Exchange {
  text = '';
  chunks = [];
  over = false;

  constructor(ask, onLeave, resolve) {
    Object.assign(this, { ask, onLeave, resolve });
    this.parser = createParser({ onEvent: ({ data }) => this.chunk(data) });
  }

  send(url, key) {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    this.call = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      this.response = response.setEncoding('utf8');
      response.on('data', (text) => this.feed(text));
      response.on('end', () => this.judge(response.statusCode));
      response.on('error', (error) => this.finish({ outcome: 'failed', problem: `broken: ${error.code}` }));
    });
    this.call.on('error', (error) => this.finish({ outcome: 'failed', problem: `broken: ${error.code}` }));
    this.call.end(JSON.stringify(this.ask.body));
    const { afterMs } = this.ask.leave ?? {};
    if (afterMs !== undefined) this.timer = setTimeout(() => this.leave(), afterMs);
  }

  feed(text) {
    this.text += text;
    if (this.ask.body.stream && this.response.statusCode === 200) this.parser.feed(text);
    const { pauseMs } = this.ask;
    if (pauseMs === undefined || this.over) return;
    this.response.pause();
    setTimeout(() => this.response.resume(), pauseMs);
  }

  chunk(data) {
    this.chunks.push(data);
    const { leave } = this.ask;
    const atEnd = leave === 'end' && data.includes('"finish_reason":"');
    if (atEnd || this.chunks.length === leave?.afterChunks) this.leave();
  }

  leave() {
    if (this.over) return;
    this.onLeave();
    this.finish({ outcome: 'left' });
    this.call.destroy();
  }

  finish(end) {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.resolve(end);
  }

  judge(status) {
    const problem = status === 200 ? this.wrong() : `status ${status}: ${this.text.slice(0, 200)}`;
    this.finish(problem === undefined ? { outcome: 'answered' } : { outcome: 'failed', problem });
  }

  /** Why this is not the whole answer to this very question. */
  wrong() {
    const { body, marker } = this.ask;
    if (body.stream && this.chunks.at(-1) !== '[DONE]') return `no [DONE]: ${this.chunks.at(-1)?.slice(0, 200)}`;
    const parts = body.stream
      ? this.chunks.slice(0, -1).map((data) => JSON.parse(data).choices[0]?.delta)
      : [JSON.parse(this.text).choices[0].message];
    if (body.tools) return parts.some((part) => part?.tool_calls?.length > 0) ? undefined : 'no call of a tool';
    const said = parts.map((part) => part?.content ?? '').join('');
    return said.includes(`#${marker} `) ? undefined : `another answer: ${said.slice(0, 100)}`;
  }
}
