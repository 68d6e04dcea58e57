const cases = (...titles: string[]): ReadonlyMap<number, string> => new Map(titles.map((title, at) => [at + 1, title]));

/**
 * What clients of OpenAI's protocol need of a server, case by case. Each is a test whose name begins with its number, as
 * in `Dify 7: …`; a test of the architecture looks.
 */
export const CLIENT_CASES = {
  Dify: cases(
    'a model is saved: ping without `stream`, answered as chat.completion within 10 s',
    'a model is saved with streams: 200 before the first token',
    'a key that is wrong or empty: 401 and JSON',
    'a conversation is never answered with 201 or 202, nor with a redirect',
    'a stream has no carriage returns, no events, ids or retries, and comments end with a blank line',
    'usage comes once, without choices, after the end and before [DONE]; and only if it is asked for',
    'one reason of the end, in the last chunk that has choices',
    'a failure after the first token: one error, and no clean end',
    'two calls of tools come one after the other, each begun with its id and name',
    'stop, response formats wrapped and bare, and fields that nobody knows',
    'parts of text are taken, parts of other kinds are refused with clear words',
    '`user` of any length and of any characters',
    'a model that is slow to begin: comments keep the connection, the answer comes whole',
    'a client goes away: the model stops',
    'a stream is never compressed',
    'a base address with and without a slash at its end',
    'the schema of the tools can be imported',
    'an empty Idempotency-Key counts as none',
    'a key under the scheme Basic: 401 with a hint',
  ),
  OpenAI: cases(
    'an answer in whole, with its id and its usage',
    'an answer in chunks, with its usage; and by the helper that puts it together',
    'other libraries get the same answer: ai-sdk, LangChain, the Python package',
    'models are listed and found; an unknown one is a 404 with its code',
    'a key that is missing, malformed, revoked, or of another DAO',
    'bodies that cannot be are refused, and never with 500',
    'too many requests: Retry-After and a code; the library waits and succeeds',
    'a failure in mid-stream is an error in every library',
    'a client that aborts frees the slot',
    'one Idempotency-Key, one run',
    'a client that is killed and comes again doubles nothing',
    'metadata has its bounds',
    'both names of the longest answer are heeded',
    'a call of a tool and back, in whole and in chunks',
    'every answer fits a description that is not ours',
  ),
} as const;
