// What an endpoint may do to a client, and what must come of it. `no`: the case of "Ollama client side" in the protocol
// notes (7 is the queue's: `npm run bench -- load`). `expect` is what `outcome.mjs` makes of the call.

const status = (code, more = {}) => ({ kind: 'status', status: code, ...more });
const wait = (headers) => status(429, { headers });
const inHalfAMinute = () => new Date(Date.now() + 30_000).toUTCString();

/** Of both clients. */
const BOTH = [
  { no: 2, name: 'every byte in a packet of its own', settings: { packets: 'byte' }, expect: 'ECHO, stop' },
  { no: 2, name: 'the whole answer in one packet', settings: { packets: 'whole' }, expect: 'ECHO, stop' },
  { no: 2, name: 'blank lines or comments between objects', expect: 'ECHO, stop' },
  { no: 3, name: 'error first', fault: { kind: 'error-mid-stream', afterTokens: 0 }, expect: 'ProviderUnavailable' },
  { no: 3, name: 'error in the middle', fault: { kind: 'error-mid-stream' }, expect: 'StreamInterrupted after text' },
  { no: 3, name: 'end without its mark', fault: { kind: 'end-early' }, expect: 'StreamInterrupted after text' },
  {
    no: 3,
    name: 'end without its mark, after the last token',
    fault: { kind: 'end-early', afterTokens: 99 },
    expect: 'StreamInterrupted after text',
  },
  {
    no: 3,
    name: 'end without its mark, before the first token',
    fault: { kind: 'end-early', afterTokens: 0 },
    expect: 'ProviderUnavailable',
  },
  { no: 3, name: 'no JSON in the middle', fault: { kind: 'bad-json' }, expect: 'StreamInterrupted after text' },
  { no: 3, name: 'cut by the cap', call: { maxTokens: 2 }, expect: 'text, length' },
  { no: 3, name: 'no text', fault: { kind: 'empty' }, expect: 'EmptyAnswer' },
  { no: 3, name: 'thinking and no text', fault: { kind: 'thinking-only' }, expect: 'EmptyAnswer' },
  { no: 4, name: '404, no such model', model: 'missing', expect: 'ModelNotFound naming the model' },
  { no: 4, name: '400', fault: status(400), expect: 'ProviderRejected' },
  { no: 4, name: '400, longer than the context', settings: { contextWords: 1 }, expect: 'ContextLengthExceeded' },
  { no: 4, name: '401', fault: status(401), expect: 'AuthenticationFailed' },
  { no: 4, name: '429, says nothing', fault: status(429), expect: 'RateLimited' },
  { no: 4, name: '429, Retry-After: 7', fault: wait({ 'retry-after': '7' }), expect: 'RateLimited, wait 7 s' },
  {
    no: 4,
    name: '429, retry-after-ms: 250',
    fault: wait({ 'retry-after-ms': '250' }),
    expect: 'RateLimited, wait 250 ms',
  },
  {
    no: 4,
    name: '429, Retry-After: a date in 30 s',
    fault: () => wait({ 'retry-after': inHalfAMinute() }),
    expect: 'RateLimited, wait 30 s',
  },
  { no: 4, name: '429, Retry-After: soon', fault: wait({ 'retry-after': 'soon' }), expect: 'RateLimited' },
  {
    no: 4,
    name: '503, server busy',
    fault: status(503, { message: 'server busy, please try again.  maximum pending requests exceeded' }),
    expect: 'ProviderUnavailable',
  },
  {
    no: 4,
    name: '503, Retry-After: 2',
    fault: status(503, { headers: { 'retry-after': '2' } }),
    expect: 'ProviderUnavailable, wait 2 s',
  },
  { no: 4, name: '500', fault: status(500), expect: 'ProviderUnavailable' },
  { no: 4, name: '502, a page of HTML', fault: { kind: 'html-502' }, expect: 'ProviderUnavailable' },
  { no: 4, name: 'connection refused', address: 'closed', expect: 'ProviderUnavailable' },
  { no: 4, name: 'reset before headers', fault: { kind: 'reset-before-headers' }, expect: 'ProviderUnavailable' },
  { no: 4, name: 'reset after headers', fault: { kind: 'reset-after-headers' }, expect: 'ProviderUnavailable' },
  { no: 4, name: 'reset in the middle', fault: { kind: 'reset-mid-stream' }, expect: 'StreamInterrupted after text' },
  {
    no: 5,
    name: 'hang before headers, deadline 300 ms',
    fault: { kind: 'hang-before-headers' },
    deadlineMs: 300,
    expect: 'ended by the deadline in time, socket closed',
  },
  {
    no: 5,
    name: 'hang in the middle, deadline 300 ms',
    fault: { kind: 'hang-mid-stream' },
    deadlineMs: 300,
    expect: 'ended by the deadline in time, socket closed',
  },
  {
    no: 6,
    name: 'cancelled while it generates',
    settings: { tokens: 1_000, tokenMs: 5 },
    call: { maxTokens: 1_000 },
    cancelAfterText: true,
    expect: 'ended by the caller in time, socket closed',
  },
  { no: 8, name: 'a second until the first token', settings: { firstTokenMs: 1_000 }, expect: 'ECHO, stop' },
  { no: 10, name: 'counts', show: 'usage', expect: '3 + 7 tokens' },
];

const OLLAMA_LINES = [
  { message: { role: 'assistant', content: '', thinking: 'secret thought' }, done: false },
  { message: { role: 'assistant', content: 'Привіт, ' }, done: false },
  { message: { role: 'assistant', content: '🌻 {"a": "\\n"}' }, done: false },
  { message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 5, eval_count: 3 },
].map((line) => JSON.stringify({ model: 'm', created_at: '2026-11-24T00:00:00Z', ...line }));

const OPENAI_EVENTS = [
  { choices: [{ index: 0, delta: { role: 'assistant', content: '', reasoning_content: 'secret thought' } }] },
  { choices: [{ index: 0, delta: { content: 'Привіт, ' } }] },
  { choices: [{ index: 0, delta: { content: '🌻 {"a": "\\n"}' } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  { choices: [], usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 } },
].map((event) => JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...event }));

const REPLAYED = { no: 2, name: 'cut into two packets at every byte', replay: 'every cut', expect: 'REPLAYED, stop' };

/** By client: its cases, and a recorded answer that is cut at every byte. */
export const SUITES = {
  ollama: {
    recorded: Buffer.from(`${OLLAMA_LINES.join('\n\n')}\r\n`),
    type: 'application/x-ndjson',
    cases: [
      ...BOTH,
      REPLAYED,
      { no: 11, name: 'thinking beside text', replay: 'whole', expect: 'REPLAYED, stop' },
      { no: 4, name: '499, given up by the host', fault: status(499), expect: 'ProviderUnavailable' },
      { no: 4, name: '400, cannot think: once more without', settings: { refuseThink: true }, expect: 'ECHO, stop' },
      { no: 10, name: 'no counts', fault: { kind: 'no-usage' }, show: 'usage', expect: '0 + 0 tokens' },
      {
        no: 9,
        name: 'what is sent',
        show: 'body',
        expect:
          '{"model":"fake-model","messages":[{"role":"user","content":"Привіт, 🌻 world"}],"stream":true,"truncate":false,' +
          '"shift":false,"options":{"num_predict":50,"num_ctx":4096,"temperature":0.2,"top_p":0.9},"think":false}',
      },
    ],
  },
  openai: {
    recorded: Buffer.from(
      OPENAI_EVENTS.map((event) => `data: ${event}\r\n\r\n`).join(': still here\n\n') + 'data: [DONE]\n\n',
    ),
    type: 'text/event-stream',
    cases: [
      ...BOTH,
      REPLAYED,
      { no: 11, name: 'reasoning beside text', replay: 'whole', expect: 'REPLAYED, stop' },
      { no: 4, name: '408', fault: status(408), expect: 'ProviderUnavailable' },
      {
        no: 4,
        name: '429, quota used up',
        fault: status(429, { code: 'insufficient_quota' }),
        expect: 'ProviderRejected',
      },
      {
        no: 3,
        name: 'error event with a code, first',
        fault: { kind: 'error-mid-stream', afterTokens: 0, code: 'rate_limit_exceeded' },
        expect: 'RateLimited',
      },
      {
        no: 4,
        name: '400, no max_tokens: once more with its new name',
        settings: { refuseParameters: ['max_tokens'] },
        expect: 'ECHO, stop',
      },
      {
        no: 10,
        name: 'no counts',
        fault: { kind: 'no-usage' },
        show: 'usage',
        expect: '13 + 17 tokens, estimated',
      },
      {
        no: 9,
        name: 'what is sent',
        show: 'body',
        expect:
          '{"model":"fake-model","messages":[{"role":"user","content":"Привіт, 🌻 world"}],"stream":true,' +
          '"stream_options":{"include_usage":true},"temperature":0.2,"top_p":0.9,"max_tokens":50}',
      },
    ],
  },
};
