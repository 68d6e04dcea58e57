import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ToolOutput } from '../src/contracts/devtools.js';
import { OutputStream } from './output-stream.js';

describe('OutputStream', () => {
  let told: ToolOutput[];
  let stream: OutputStream;

  beforeEach(() => {
    jest.useFakeTimers();
    told = [];
    stream = new OutputStream((output) => told.push(output));
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('tells what came within a moment at once, each stream in its place', () => {
    stream.push({ stream: 'stdout', text: 'a' });
    stream.push({ stream: 'stdout', text: 'b' });
    stream.push({ stream: 'stderr', text: 'c' });
    stream.push({ stream: 'stdout', text: 'd' });
    expect(told).toEqual([]);
    jest.advanceTimersByTime(50);
    expect(told).toEqual([
      { stream: 'stdout', text: 'ab' },
      { stream: 'stderr', text: 'c' },
      { stream: 'stdout', text: 'd' },
    ]);
  });

  it('tells the rest at the end, and nothing twice', () => {
    stream.push({ stream: 'stdout', text: 'a' });
    stream.end();
    jest.advanceTimersByTime(1_000);
    expect(told).toEqual([{ stream: 'stdout', text: 'a' }]);
  });

  it('falls silent after half a million characters', () => {
    stream.push({ stream: 'stdout', text: 'x'.repeat(524_280) });
    stream.push({ stream: 'stdout', text: 'y'.repeat(100) });
    stream.push({ stream: 'stdout', text: 'z' });
    stream.end();
    expect(told).toEqual([{ stream: 'stdout', text: 'x'.repeat(524_280) + 'y'.repeat(8) }]);
  });
});
