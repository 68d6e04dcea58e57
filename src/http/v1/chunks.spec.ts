import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RequestBody } from '../../contracts/bodies.js';
import type { ToolCall } from '../../contracts/chat.js';
import type { CrewProgress } from '../../contracts/crew-steps.js';
import type { PositionedEvent, RequestEvent } from '../../contracts/events.js';
import { ChatChunks } from './chat-chunks.js';
import { Chunks } from './chunks.js';
import { CompletionChunks } from './completion-answer.js';
import { pausedAnswer, Unanswered } from './outcome.js';

const HEAD = { id: 'chatcmpl-1', created: 1, model: 'dagi-stack' };

interface Delta {
  role?: string;
  content?: string;
  reasoning_content?: string;
  tool_calls?: { index: number; id?: string; type?: string; function: { name?: string; arguments: string } }[];
  function_call?: { name?: string; arguments: string };
}
interface Chunk {
  id: string;
  object: string;
  choices: { delta: Delta; finish_reason: string | null; logprobs: object | null }[];
  usage?: unknown;
}

/** An answer as a model might give it: pieces, and which of the events about tools get lost on their way. */
interface Told {
  reasoning: string[];
  texts: string[];
  calls: { name: string; pieces: string[] }[];
  lost: boolean[];
  finish: string;
}

const told = fc.record<Told>({
  reasoning: fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }),
  texts: fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }),
  calls: fc.array(fc.record({ name: fc.constantFrom('a', 'b'), pieces: fc.array(fc.string(), { maxLength: 3 }) }), {
    maxLength: 3,
  }),
  lost: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  finish: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter', 'odd'),
});

const at = (event: RequestEvent, generation = 1): PositionedEvent => ({
  ...event,
  position: { generation, offset: 0 },
});

const callsOf = ({ calls }: Told): ToolCall[] =>
  calls.map(({ name, pieces }, index) => ({ id: `call_${index}`, name, arguments: pieces.join('') }));

function bodyOf(answer: Told): RequestBody {
  const calls = callsOf(answer);
  const data = {
    text: answer.texts.join(''),
    finish_reason: answer.finish,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  return { ok: true, mode: 'chat', status: 'completed', data, usage, provider: 'fake' } as RequestBody;
}

/** Events of calls; those that are lost are left out. */
function toolEvents({ calls, lost }: Told): RequestEvent[] {
  const all = calls.flatMap(({ name, pieces }, index): RequestEvent[] => [
    { type: 'tool_call', data: { index, id: `call_${index}`, name, arguments: '' } },
    ...pieces.map((text): RequestEvent => ({ type: 'tool_call', data: { index, arguments: text } })),
  ]);
  return all.filter((_, place) => !lost[place]);
}

const eventsOf = (answer: Told): PositionedEvent[] =>
  [
    { type: 'attempt', data: { provider: 'fake', generation: 1 } } satisfies RequestEvent,
    ...answer.reasoning.map((text): RequestEvent => ({ type: 'reasoning', data: { text } })),
    ...answer.texts.map((text): RequestEvent => ({ type: 'token', data: { text } })),
    ...toolEvents(answer),
    { type: 'done', data: bodyOf(answer) } satisfies RequestEvent,
  ].map((event) => at(event));

function chunksOf(answer: Told, usage: boolean, functions = false): Chunk[] | 'broken' {
  const chunks = new Chunks(new ChatChunks(HEAD, { functions }), usage);
  try {
    return eventsOf(answer).flatMap((event) => chunks.of(event)) as Chunk[];
  } catch (error) {
    expect(error).toBeInstanceOf(Unanswered);
    return 'broken';
  }
}

const sentText = (chunks: Chunk[]): string =>
  chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('');

/** As Dify merges them: a piece without an id belongs to the last call, whatever its index says. */
function merged(chunks: Chunk[]): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const { choices } of chunks) {
    for (const piece of choices[0]?.delta.tool_calls ?? []) {
      const { id, function: called } = piece;
      if (id !== undefined) calls.push({ id, name: called.name ?? '', arguments: '' });
      calls.at(-1)!.arguments += called.arguments;
      expect(piece.index).toBe(calls.length - 1);
      expect(piece.type).toBe(id === undefined ? undefined : 'function');
    }
  }
  return calls;
}

/** Whether a piece in the midst of a call is lost: what was told then is no beginning of it, or it is. */
const whole = (answer: Told): Told => ({ ...answer, lost: [] });

describe('a stream of a chat', () => {
  it('begins with the role, once', () => {
    fc.assert(
      fc.property(told, (answer) => {
        const chunks = chunksOf(whole(answer), false);
        if (chunks === 'broken') throw new Error('broken');
        expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
        expect(chunks.filter(({ choices }) => choices[0]?.delta.role !== undefined)).toHaveLength(1);
        expect(new Set(chunks.map(({ id, object }) => `${id} ${object}`)).size).toBe(1);
      }),
    );
  });

  it('has one finish reason, in the last chunk that has a choice', () => {
    fc.assert(
      fc.property(told, fc.boolean(), (answer, usage) => {
        const chunks = chunksOf(whole(answer), usage) as Chunk[];
        const reasons = chunks
          .filter(({ choices }) => choices.length > 0)
          .map(({ choices }) => choices[0]?.finish_reason);
        expect(reasons.slice(0, -1).every((reason) => reason === null)).toBe(true);
        expect(['stop', 'length', 'tool_calls', 'content_filter']).toContain(reasons.at(-1));
      }),
    );
  });

  it('tells the usage behind it where that was asked for, and nowhere else', () => {
    fc.assert(
      fc.property(told, fc.boolean(), (answer, usage) => {
        const chunks = chunksOf(whole(answer), usage) as Chunk[];
        const counted = chunks.filter((chunk) => chunk.usage !== undefined);
        expect(counted).toHaveLength(usage ? 1 : 0);
        if (!usage) return;
        expect(counted[0]).toBe(chunks.at(-1));
        expect(counted[0]?.choices).toEqual([]);
      }),
    );
  });

  it('has the text, and the calls of tools one after the other', () => {
    fc.assert(
      fc.property(told, (answer) => {
        const chunks = chunksOf(whole(answer), false) as Chunk[];
        expect(sentText(chunks)).toBe(answer.texts.join(''));
        expect(merged(chunks)).toEqual(callsOf(answer));
      }),
    );
  });

  it('has the calls whole, or breaks off, where events about them are lost', () => {
    fc.assert(
      fc.property(told, (answer) => {
        const chunks = chunksOf(answer, false);
        if (chunks !== 'broken') expect(merged(chunks)).toEqual(callsOf(answer));
      }),
    );
  });

  it('is clean bytes', () => {
    fc.assert(
      fc.property(told, (answer) => {
        const text = (chunksOf(whole(answer), true) as Chunk[]).map((chunk) => JSON.stringify(chunk)).join('');
        expect(text).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it('speaks of functions to those who do', () => {
    const calls = [
      { name: 'look', pieces: ['{"a"', ':1}'] },
      { name: 'b', pieces: ['{}'] },
    ];
    const chunks = chunksOf({ reasoning: [], texts: [], calls, lost: [], finish: 'stop' }, false, true) as Chunk[];
    const deltas = chunks.map(({ choices }) => choices[0]?.delta.function_call).filter((one) => one !== undefined);
    expect(deltas).toEqual([{ name: 'look', arguments: '' }, { arguments: '{"a"' }, { arguments: ':1}' }]);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('function_call');
  });
});

describe('a stream of a chat that comes from the record', () => {
  const TOKEN = { token: 'a', logprob: -0.1, bytes: null, top_logprobs: [] };
  const body: RequestBody = {
    ...bodyOf({ reasoning: [], texts: ['a'], calls: [{ name: 'b', pieces: ['{}'] }], lost: [], finish: 'stop' }),
    data: {
      ...{ text: 'a', finish_reason: 'stop', reasoning: 'hm', logprobs: [TOKEN] },
      tool_calls: [{ id: 'call_0', name: 'b', arguments: '{}' }],
    },
  } as RequestBody;
  const told = (...events: RequestEvent[]): object[] => {
    const chunks = new Chunks(new ChatChunks(HEAD, { functions: false }), false);
    const all = [...events, { type: 'done', data: body } satisfies RequestEvent];
    return (all.flatMap((event) => chunks.of(at(event))) as Chunk[]).map(({ choices: [choice] }) => ({
      ...choice!.delta,
      ...(choice!.logprobs && { logprobs: choice!.logprobs }),
    }));
  };
  const FIRST = { role: 'assistant', content: '' };
  const THOUGHT = { reasoning_content: 'hm' };
  const LOGPROBS = { content: [TOKEN], refusal: null };
  const CALL = { tool_calls: [{ index: 0, id: 'call_0', type: 'function', function: { name: 'b', arguments: '{}' } }] };

  it('has what was reasoned, and the text with its probabilities', () => {
    expect(told()).toEqual([FIRST, THOUGHT, { content: 'a', logprobs: LOGPROBS }, CALL, {}]);
  });

  it('has the probabilities behind a text that was told without them', () => {
    const token = { type: 'token', data: { text: 'a' } } satisfies RequestEvent;
    expect(told(token)).toEqual([FIRST, { content: 'a' }, THOUGHT, { content: '', logprobs: LOGPROBS }, CALL, {}]);
  });

  it('has nothing twice', () => {
    const events: RequestEvent[] = [
      { type: 'reasoning', data: { text: 'hm' } },
      { type: 'token', data: { text: 'a', logprobs: [TOKEN] } },
    ];
    expect(told(...events)).toEqual([FIRST, THOUGHT, { content: 'a', logprobs: LOGPROBS }, CALL, {}]);
  });
});

describe('a stream that breaks', () => {
  const chat = (): Chunks => new Chunks(new ChatChunks(HEAD, { functions: false }), true);
  const token = (text: string, generation = 1): PositionedEvent => at({ type: 'token', data: { text } }, generation);
  const attempt = (generation: number): PositionedEvent =>
    at({ type: 'attempt', data: { provider: 'other', generation } }, generation);
  const failed = { ok: false, status: 'failed', error: { code: 'PROVIDER_FAILED', message: 'No.' } } as RequestBody;

  it('goes on with another run while nothing was told of the first', () => {
    const chunks = chat();
    expect([attempt(1), token(''), attempt(2)].flatMap((event) => chunks.of(event))).toEqual([]);
    expect(chunks.of(token('a', 2))).toHaveLength(2);
  });

  it.each([
    ['another run', attempt(2)],
    ['a piece of another run', token('b', 2)],
    [
      'the end of another run',
      at({ type: 'done', data: bodyOf({ reasoning: [], texts: ['b'], calls: [], lost: [], finish: 'stop' }) }, 2),
    ],
  ])('ends with %s after something was told', (_name, event) => {
    const chunks = chat();
    chunks.of(attempt(1));
    chunks.of(token('a'));
    expect(() => chunks.of(event)).toThrow(Unanswered);
    expect(chunks.ended).toBe(false);
  });

  it('ends with the failure of the request', () => {
    const chunks = chat();
    expect(() => chunks.of(at({ type: 'error', data: failed }))).toThrow('No.');
    expect([chunks.ended, chunks.settled]).toEqual([false, true]);
  });
});

describe('a stream of a completion', () => {
  it('has text and a finish reason, and nothing of reasoning', () => {
    const chunks = new Chunks(new CompletionChunks({ ...HEAD, id: 'cmpl-1' }), true);
    const answer: Told = { reasoning: ['hm'], texts: ['a', 'b'], calls: [], lost: [], finish: 'length' };
    const base = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'dagi-stack' };
    const choice = { index: 0, logprobs: null };
    expect(eventsOf(answer).flatMap((event) => chunks.of(event))).toEqual([
      { ...base, choices: [{ ...choice, text: 'a', finish_reason: null }] },
      { ...base, choices: [{ ...choice, text: 'b', finish_reason: null }] },
      { ...base, choices: [{ ...choice, text: '', finish_reason: 'length' }] },
      { ...base, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    ]);
  });
});

describe('a run of a crew', () => {
  const chunksOf = (): Chunks => new Chunks(new ChatChunks(HEAD, { functions: false }), true);
  const crew = (data: Partial<CrewProgress>): PositionedEvent => ({
    type: 'crew',
    data: { task: 'plan', agent: 'planner', state: 'running', tokens: 0, waits_for: null, ...data },
    position: { generation: 0, offset: 1 },
  });
  const deltasOf = (chunks: readonly object[]): Delta[] =>
    (chunks as Chunk[]).flatMap(({ choices }) => choices.map(({ delta }) => delta));

  it('should tell who works on what as thoughts, and its result as the answer', () => {
    const chunks = chunksOf();
    const told = [crew({}), crew({ state: 'waiting_approval', tokens: 12 })].flatMap((event) => chunks.of(event));
    expect(deltasOf(told).map(({ reasoning_content: text }) => text)).toEqual([
      undefined,
      'planner on plan: running (0 tokens so far)\n',
      'planner on plan: waiting approval (12 tokens so far)\n',
    ]);
    const data = { result: { steps: ['dig', 'sow'] }, agents: {} };
    const done = {
      type: 'done',
      data: { ok: true, mode: 'crew', data, usage: null },
      position: { generation: 0, offset: 0 },
    };
    const end = chunks.of(done as unknown as PositionedEvent);
    expect(deltasOf(end)[0]?.content).toContain('- dig\n- sow');
    expect([chunks.ended, chunks.settled, (end.at(-1) as Chunk).usage !== undefined]).toEqual([true, true, true]);
  });

  it('should tell once how a task stands, however many turns it takes', () => {
    const chunks = chunksOf();
    const told = [crew({}), crew({ tokens: 5 }), crew({ task: 'judge' }), crew({ tokens: 9 })];
    const words = deltasOf(told.flatMap((event) => chunks.of(event))).flatMap(
      ({ reasoning_content: text }) => text ?? [],
    );
    expect(words).toEqual([
      'planner on plan: running (0 tokens so far)\n',
      'planner on judge: running (0 tokens so far)\n',
    ]);
  });

  it('should say where it stands to whoever waits no longer', () => {
    const chunks = chunksOf();
    chunks.of(crew({}));
    const [said, last] = chunks.pause(pausedAnswer('r1')) as Chunk[];
    expect(said?.choices[0]?.delta.content).toContain('/crews/runs/r1');
    expect(last?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.ended).toBe(true);
  });
});
