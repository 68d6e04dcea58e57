// Makes a call to a provider and says in a few words what came of it.
import { setTimeout as sleep } from 'node:timers/promises';

export const PROMPT = 'Привіт, 🌻 world';
/** How late after a deadline or a cancel a call may end, in milliseconds. */
const LATE_MS = 300;

/** Reads an answer to its end, or to what ends it. */
async function read(chunks, onText) {
  let text = '';
  try {
    for await (const chunk of chunks) {
      if (chunk.type === 'end') return { text, end: chunk };
      text += chunk.text;
      onText();
    }
    return { text, error: new Error('it ended without an end') };
  } catch (error) {
    return { text, error };
  }
}

const milliseconds = (ms) => (ms < 1_000 ? `${ms} ms` : `${Math.ceil(ms / 1_000)} s`);

function describeFailure({ text, error }, model) {
  const after = text === '' ? '' : ' after text';
  const wait = error.retryAfterMs === undefined ? '' : `, wait ${milliseconds(error.retryAfterMs)}`;
  const names = error.type === 'ModelNotFound' && error.message.includes(`"${model}"`) ? ' naming the model' : '';
  if (error.name !== 'ProviderError') return `${error.name}: ${error.message}`;
  return `${error.type}${after}${wait}${names}`;
}

const describeUsage = ({ prompt_tokens, completion_tokens, estimated }) =>
  `${prompt_tokens} + ${completion_tokens} tokens${estimated ? ', estimated' : ''}`;

const nameOf = (text, recorded) => {
  if (recorded !== undefined && text === recorded) return 'REPLAYED';
  if (/^echo #\w+ \(1 messages\) Привіт, 🌻 world$/.test(text)) return 'ECHO';
  return 'text';
};

/** Whether the fake has seen the socket close, at the latest a second later. */
async function isClosed(fake) {
  for (const end = Date.now() + 1_000; Date.now() < end; await sleep(5)) {
    if (fake.stats.aborted === 1 && fake.stats.inFlight === 0) return true;
  }
  return false;
}

/** Calls and says what came of it. */
export async function outcomeOf(provider, fake, one, recorded) {
  const stop = new AbortController();
  let stoppedAt = Infinity;
  const abort = (why) => {
    stoppedAt = Math.min(stoppedAt, Date.now());
    stop.abort(new Error(why));
  };
  const timer = setTimeout(abort, one.deadlineMs ?? 20_000, 'deadline');
  const call = {
    ...{ messages: [{ role: 'user', content: PROMPT }], maxTokens: 50, temperature: 0.2, topP: 0.9 },
    ...one.call,
    signal: stop.signal,
  };
  const result = await read(provider.generate(call), () => one.cancelAfterText && abort('caller'));
  clearTimeout(timer);
  if (result.error && result.error === stop.signal.reason) {
    const inTime = Date.now() - stoppedAt <= LATE_MS ? 'in time' : 'too late';
    return `ended by the ${result.error.message} ${inTime}, socket ${(await isClosed(fake)) ? 'closed' : 'open'}`;
  }
  if (fake && fake.stats.calls > 1) return `${fake.stats.calls} calls`;
  if (result.error) return describeFailure(result, one.model);
  if (one.show === 'usage') return describeUsage(result.end.usage);
  if (one.show === 'body') return JSON.stringify(fake.bodies.at(-1));
  return `${nameOf(result.text, recorded)}, ${result.end.finishReason}`;
}
