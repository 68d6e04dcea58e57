import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '../../../test/fakes/fake-sandbox.js';
import { below, commandOf, endOf, startOf } from './tool-run.js';

describe('startOf and endOf', () => {
  it('should give a short text as it is', () => {
    expect(startOf('größe', 7)).toBe('größe');
    expect(endOf('größe', 7)).toBe('größe');
  });

  it('should cut no letter in two', () => {
    expect([1, 2, 3, 4].map((bytes) => startOf('aé😀b', bytes))).toEqual(['a', 'a', 'aé', 'aé']);
    expect([1, 2, 4, 5].map((bytes) => endOf('aé😀b', bytes))).toEqual(['b', 'b', 'b', '😀b']);
  });
});

describe('below', () => {
  it('should tell a path from the workspace', () => {
    expect(below('.', './a/b')).toBe('a/b');
    expect(below('src', './a')).toBe('src/a');
    expect(below('src', 'a')).toBe('src/a');
  });
});

describe('commandOf', () => {
  it('should keep a command within the limits of its run', () => {
    const place = { workspace: '/host', folder: 'src' };
    const run = { place, limits: LIMITS, signal: new AbortController().signal };
    expect(commandOf(run, { argv: ['true'], timeoutMs: LIMITS.timeoutMs * 2, outputBytes: 5 })).toEqual({
      ...place,
      argv: ['true'],
      limits: {
        outputBytes: 5,
        timeoutMs: LIMITS.timeoutMs,
        memoryBytes: LIMITS.memoryBytes,
        processes: LIMITS.processes,
        scratchBytes: LIMITS.scratchBytes,
      },
    });
  });
});
