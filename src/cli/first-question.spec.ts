import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { askFirstQuestion } from './first-question.js';

const BODY = {
  ok: true,
  request_id: 'r1',
  workflow_id: 'route/r1',
  provider: 'small',
  data: { text: 'Hi', finish_reason: 'stop' },
  timings_ms: { llm: 3, total: 4 },
};
const EVENTS: [string, unknown][] = [
  ['route', { request_id: 'r1' }],
  ['token', { text: 'Hi' }],
  ['done', BODY],
];

describe(askFirstQuestion.name, () => {
  let server: Server;

  beforeEach(async () => {
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(EVENTS.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join(''));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('tells times of one clock together: the first token never comes after the whole answer', async () => {
    const out = new PassThrough();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await askFirstQuestion({ url, key: 'k' }, out, new AbortController().signal);
    const text = String(out.read());
    const [, first, all] = /seen from here: first token after (\d+) ms, all of it after (\d+) ms\n/.exec(text) ?? [];
    expect(Number(first)).toBeLessThanOrEqual(Number(all));
    expect(text).toContain('  small · 4 ms in the product (llm 3)\n  route/r1\n');
  });
});
