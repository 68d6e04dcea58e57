// What a stream asks next, drawn from its own seed.
import { between, randomFrom } from '../../chaos/lib/seed.mjs';

const SHARES = { local: 0.45, whole: 0.2, tools: 0.15, slow: 0.2, leaves: 0.3 };
const WORDS = ['budget', 'farm', 'vote', 'quorum', 'harvest', 'council', 'delivery', 'treasury'];
const TOOL = {
  type: 'function',
  function: { name: 'find_vote', parameters: { type: 'object', properties: { id: { type: 'string' } } } },
};

/**
 * @typedef {object} Ask
 * @property {string} marker of the request, in its prompt
 * @property {'open' | 'local'} model which model it is for
 * @property {object} body
 * @property {number} [pauseMs] a slow reader pauses as long as this after each piece
 * @property {{ afterMs: number } | { afterChunks: number } | 'end'} [leave] when the client goes away
 * @property {number} restMs pause before the next one
 */

/** @returns {() => Ask} one after the other */
export function planFor(seed, stream) {
  const random = randomFrom(seed * 10_000 + stream);
  let number = 0;
  return () => nextAsk(random, `s${stream}-${(number += 1)}`);
}

function nextAsk(random, marker) {
  const chance = (share) => random() < share;
  const model = chance(SHARES.local) ? 'local' : 'open';
  const stream = !chance(SHARES.whole);
  // Ollama's fake knows no tools.
  const tools = chance(SHARES.tools) && model === 'open';
  const words = between(random, 10, 60);
  const slow = chance(SHARES.slow) && stream;
  const leaves = chance(SHARES.leaves);
  const ask = {
    marker,
    model,
    restMs: between(random, 0, 500),
    body: bodyOf(random, { marker, model, stream, tools, words }),
  };
  if (slow) ask.pauseMs = between(random, 50, 400);
  if (leaves) ask.leave = leaveOf(random, stream, words);
  return ask;
}

/** Before the first token, in the middle, or when all but the end is there. */
function leaveOf(random, stream, words) {
  const kind = between(random, 0, 3);
  if (!stream) return { afterMs: between(random, 0, 3_000) };
  if (kind === 0) return { afterMs: between(random, 0, 400) };
  return kind === 1 ? { afterChunks: between(random, 2, words) } : 'end';
}

function bodyOf(random, { marker, model, stream, tools, words }) {
  const text = Array.from({ length: words }, () => WORDS[between(random, 0, WORDS.length)]).join(' ');
  return {
    model: model === 'open' ? 'dagi-stack' : 'provider/local',
    messages: [{ role: 'user', content: `Soak #${marker} ${text}` }],
    ...(stream && { stream: true, stream_options: { include_usage: true } }),
    ...(tools && { tools: [TOOL], tool_choice: 'required' }),
  };
}
