import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { PositionedEvent } from '../../contracts/events.js';
import type { GenerateChunk } from '../llm/provider.js';
import { AnswerStream } from './answer-stream.js';

type Piece = Exclude<GenerateChunk, { type: 'end' }>;

const text = (part: string): Piece => ({ type: 'text', text: part });
const toolCall = (index: number, given: string, named?: { id: string; name: string }): Piece => ({
  type: 'tool_call',
  index,
  ...named,
  arguments: given,
});

describe('AnswerStream', () => {
  let published: PositionedEvent[];
  let stream: AnswerStream;

  const texts = (): string[] => published.map((event) => (event.type === 'token' ? event.data.text : event.type));

  beforeEach(() => {
    jest.useFakeTimers();
    published = [];
    stream = new AnswerStream(3, (event) => published.push(event));
    stream.release();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('sends the first text at once', () => {
    stream.push(text('Hel'));
    expect(published).toEqual([{ type: 'token', data: { text: 'Hel' }, position: { generation: 3, offset: 3 } }]);
  });

  it('gathers what follows for 25 ms and sends it in one piece', () => {
    stream.push(text('a'));
    stream.push(text('b'));
    jest.advanceTimersByTime(10);
    stream.push(text('c'));
    jest.advanceTimersByTime(14);
    expect(texts()).toEqual(['a']);
    jest.advanceTimersByTime(1);
    expect(texts()).toEqual(['a', 'bc']);
    expect(published[1]?.position).toEqual({ generation: 3, offset: 3 });
  });

  it('starts anew after each piece', () => {
    stream.push(text('a'));
    stream.push(text('b'));
    jest.advanceTimersByTime(25);
    stream.push(text('c'));
    jest.advanceTimersByTime(24);
    expect(texts()).toEqual(['a', 'b']);
    jest.advanceTimersByTime(1);
    expect(texts()).toEqual(['a', 'b', 'c']);
  });

  it('waits with one timer, however many texts it gathers', () => {
    for (const part of ['a', 'b', 'c', 'd']) stream.push(text(part));
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(25);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends what is left at the end, once', () => {
    stream.push(text('a'));
    stream.push(text('b'));
    stream.end();
    stream.end();
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['a', 'b']);
  });

  it('sends nothing after it was stopped', () => {
    stream.push(text('a'));
    stream.push(text('b'));
    stream.stop();
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['a']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('takes empty text for no start', () => {
    stream.push(text(''));
    expect(stream.said).toBe(false);
    expect(published).toEqual([]);
    stream.push(text('a'));
    expect(stream.said).toBe(true);
    expect(texts()).toEqual(['a']);
  });

  it('holds back everything until it is let out, then sends it in order', () => {
    stream = new AnswerStream(1, (event) => published.push(event));
    stream.push({ type: 'reasoning', text: 'let me ' });
    stream.push({ type: 'reasoning', text: 'see' });
    stream.push(text('Hel'));
    stream.push(text('lo'));
    stream.push(toolCall(0, '{', { id: 'call_1', name: 'vote' }));
    stream.push(toolCall(0, '}'));
    stream.end();
    jest.advanceTimersByTime(1_000);
    expect([published, stream.said, stream.seen]).toEqual([[], true, false]);
    stream.release();
    expect(published.map(({ type, data, position }) => [type, data, position.offset])).toEqual([
      ['reasoning', { text: 'let me see' }, 0],
      ['token', { text: 'Hello' }, 5],
      ['tool_call', { index: 0, id: 'call_1', name: 'vote', arguments: '{}' }, 5],
    ]);
    expect(stream.seen).toBe(true);
  });

  it('shows nothing of an answer that broke off before it was let out', () => {
    stream = new AnswerStream(1, (event) => published.push(event));
    stream.push(text('half'));
    stream.stop();
    stream.release();
    expect([published, stream.said, stream.seen]).toEqual([[], true, false]);
  });

  it('gathers what an answer holds beside its text', () => {
    const logprob = { token: 'a', logprob: -1, bytes: null, top_logprobs: [] };
    stream.push({ type: 'text', text: 'a', logprobs: [logprob] });
    stream.push({ type: 'text', text: 'b', logprobs: [logprob] });
    stream.push({ type: 'reasoning', text: 'why' });
    stream.push(toolCall(0, '{"n":', { id: 'call_1', name: 'vote' }));
    stream.push(toolCall(0, '1}'));
    stream.push(toolCall(1, '{}', { id: 'call_2', name: 'list' }));
    stream.end();
    expect([stream.text, stream.parts]).toEqual([
      'ab',
      {
        logprobs: [logprob, logprob],
        reasoning: 'why',
        toolCalls: [
          { id: 'call_1', name: 'vote', arguments: '{"n":1}' },
          { id: 'call_2', name: 'list', arguments: '{}' },
        ],
      },
    ]);
  });

  it('loses and repeats nothing, and tells each offset truly', () => {
    const steps = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.nat({ max: 60 })));
    fc.assert(
      fc.property(steps, (pushes) => {
        published = [];
        stream = new AnswerStream(1, (event) => published.push(event));
        stream.release();
        for (const [part, pauseMs] of pushes) {
          stream.push(text(part));
          jest.advanceTimersByTime(pauseMs);
        }
        stream.end();
        expect(texts().join('')).toBe(pushes.map(([part]) => part).join(''));
        expect(texts().join('')).toBe(stream.text);
        let offset = 0;
        for (const [index, part] of texts().entries()) {
          expect(part).not.toBe('');
          expect(published[index]?.position.offset).toBe((offset += part.length));
        }
      }),
    );
  });
});
