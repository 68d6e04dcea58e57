import { Agent, request } from 'node:http';

/**
 * Keeps `concurrency` calls under way until `total` have been made.
 * @param {() => Promise<{ first: number, total: number }>} call one call; milliseconds to the first token and to the end
 * @returns {Promise<{ firsts: number[], totals: number[], perSecond: number }>}
 */
export async function load(call, concurrency, total) {
  const firsts = [];
  const totals = [];
  let left = total;
  const began = performance.now();
  const caller = async () => {
    while (left-- > 0) {
      const { first, total: all } = await call();
      firsts.push(first);
      totals.push(all);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return { firsts, totals, perSecond: (total / (performance.now() - began)) * 1000 };
}

/**
 * A caller that posts a body, reads a stream, and notes when a piece that fits `isToken` is first there.
 * @returns {() => Promise<{ first: number, total: number }>}
 */
export function streamCaller({ url, headers, body, isToken, isEnd }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const { hostname, port, pathname } = new URL(url);
  const options = {
    hostname,
    port,
    path: pathname,
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
  };
  return () =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      let first;
      let text = '';
      const call = request(options, (response) => {
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece;
          if (first === undefined && isToken(text)) first = performance.now() - began;
        });
        response.on('end', () => {
          if (response.statusCode === 200 && isEnd(text)) resolve({ first, total: performance.now() - began });
          else reject(new Error(`answer ${response.statusCode}: ${text.slice(-500)}`));
        });
      });
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
}
