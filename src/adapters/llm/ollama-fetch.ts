import { BrokenAnswer, HttpRefusal } from './faults.js';

/** Enough of a refusal to judge it by. */
const REFUSAL_CHARS = 4_096;

/**
 * A `fetch` for the `ollama` library, which has no signal and no timeout, prints refusals to standard output, forgets
 * their headers, and skips lines that it cannot read. This one aborts with the signal, throws `HttpRefusal`, and breaks
 * the stream off at a bad line.
 */
export const signalledFetch =
  (signal: AbortSignal): typeof fetch =>
  async (input, init) => {
    const signals = init?.signal ? [signal, init.signal] : [signal];
    const response = await fetch(input, { ...init, signal: AbortSignal.any(signals) });
    if (!response.ok) {
      const text = await response.text().catch(() => '');
      throw new HttpRefusal(response.status, response.headers, text.slice(0, REFUSAL_CHARS));
    }
    const streams = init?.method === 'POST' && response.body !== null;
    return streams ? new Response(response.body.pipeThrough(wholeLines()), response) : response;
  };

/** Lets through whole lines of JSON, drops blank ones, and fails at anything else. */
function wholeLines(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  // In pieces: an answer with vectors is one line of megabytes, and joining at each packet takes its square.
  let rest: string[] = [];
  const pass = (line: string, controller: TransformStreamDefaultController<Uint8Array>): void => {
    if (line.trim() === '') return;
    try {
      JSON.parse(line);
    } catch {
      throw new BrokenAnswer('not the protocol');
    }
    controller.enqueue(encoder.encode(`${line}\n`));
  };
  return new TransformStream({
    transform(bytes, controller) {
      const [first = '', ...others] = decoder.decode(bytes, { stream: true }).split('\n');
      rest.push(first);
      for (const next of others) {
        pass(rest.join(''), controller);
        rest = [next];
      }
    },
    flush(controller) {
      pass(rest.join('') + decoder.decode(), controller);
    },
  });
}
