import { describe, expect, it } from '@jest/globals';
import { isTimeout, retryAfter, transportCode } from './transport.js';

const headers = (entries: Record<string, string>): Headers => new Headers(entries);

describe('retryAfter', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');

  it.each([
    [{ 'retry-after': '3' }, 3_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': 'Tue, 24 Nov 2026 12:00:09 GMT' }, 9_000],
    [{ 'retry-after': 'Tue, 24 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': '9', 'retry-after-ms': '120' }, 120],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-4', 'retry-after-ms': '-1' }, undefined],
    [{}, undefined],
  ])('%j', (entries, expected) => {
    expect(retryAfter(headers(entries as Record<string, string>), now)).toBe(expected);
  });
});

describe('causes', () => {
  it('finds the code wherever it stands, and stops at a loop', () => {
    const inner = Object.assign(new Error('inner'), { code: 'ECONNRESET' });
    expect(transportCode(new Error('outer', { cause: new TypeError('fetch failed', { cause: inner }) }))).toBe(
      'ECONNRESET',
    );
    const loop = new Error('loop');
    loop.cause = loop;
    expect(transportCode(loop)).toBeUndefined();
  });

  it('knows a timeout by its code or its name', () => {
    expect(isTimeout(Object.assign(new Error('x'), { code: 'UND_ERR_HEADERS_TIMEOUT' }))).toBe(true);
    expect(isTimeout(new Error('x', { cause: new DOMException('late', 'TimeoutError') }))).toBe(true);
    expect(isTimeout(new Error('x'))).toBe(false);
  });
});
