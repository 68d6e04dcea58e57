import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { PositionedEvent } from '../../src/contracts/events.js';
import { TokenStream } from './token-stream.js';

describe('TokenStream', () => {
  let published: PositionedEvent[];
  let stream: TokenStream;

  const texts = (): string[] => published.map((event) => (event.type === 'token' ? event.data.text : event.type));

  beforeEach(() => {
    jest.useFakeTimers();
    published = [];
    stream = new TokenStream(3, (event) => published.push(event));
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('sends the first text at once', () => {
    stream.push('Hel');
    expect(published).toEqual([{ type: 'token', data: { text: 'Hel' }, position: { generation: 3, offset: 3 } }]);
  });

  it('gathers what follows for 25 ms and sends it in one piece', () => {
    stream.push('a');
    stream.push('b');
    jest.advanceTimersByTime(10);
    stream.push('c');
    jest.advanceTimersByTime(14);
    expect(texts()).toEqual(['a']);
    jest.advanceTimersByTime(1);
    expect(texts()).toEqual(['a', 'bc']);
    expect(published[1]?.position).toEqual({ generation: 3, offset: 3 });
  });

  it('starts anew after each piece', () => {
    stream.push('a');
    stream.push('b');
    jest.advanceTimersByTime(25);
    stream.push('c');
    jest.advanceTimersByTime(24);
    expect(texts()).toEqual(['a', 'b']);
    jest.advanceTimersByTime(1);
    expect(texts()).toEqual(['a', 'b', 'c']);
  });

  it('waits with one timer, however many texts it gathers', () => {
    for (const text of ['a', 'b', 'c', 'd']) stream.push(text);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(25);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends what is left at the end, once', () => {
    stream.push('a');
    stream.push('b');
    stream.end();
    stream.end();
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['a', 'b']);
  });

  it('sends nothing after it was stopped', () => {
    stream.push('a');
    stream.push('b');
    stream.stop();
    jest.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['a']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('takes empty text for no start', () => {
    stream.push('');
    expect(stream.started).toBe(false);
    expect(published).toEqual([]);
    stream.push('a');
    expect(stream.started).toBe(true);
    expect(texts()).toEqual(['a']);
  });

  it('loses and repeats nothing, and tells each offset truly', () => {
    const steps = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.nat({ max: 60 })));
    fc.assert(
      fc.property(steps, (pushes) => {
        published = [];
        stream = new TokenStream(1, (event) => published.push(event));
        for (const [text, pauseMs] of pushes) {
          stream.push(text);
          jest.advanceTimersByTime(pauseMs);
        }
        stream.end();
        expect(texts().join('')).toBe(pushes.map(([text]) => text).join(''));
        expect(texts().join('')).toBe(stream.text);
        let offset = 0;
        for (const [index, text] of texts().entries()) {
          expect(text).not.toBe('');
          expect(published[index]?.position.offset).toBe((offset += text.length));
        }
      }),
    );
  });
});
