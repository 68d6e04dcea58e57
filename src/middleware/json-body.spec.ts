import { describe, expect, it } from '@jest/globals';
import { isMonstrous } from './json-body.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe(isMonstrous.name, () => {
  it('lets requests of people pass, long texts and brackets in texts included', () => {
    expect(isMonstrous(bytes('{"prompt":"hi","metadata":{"a":[1,{"b":2}]}}'))).toBe(false);
    expect(isMonstrous(bytes(JSON.stringify({ prompt: '[{,:"\\'.repeat(500_000) })))).toBe(false);
    expect(isMonstrous(bytes('"\\"[[[[" is no JSON'))).toBe(false);
  });

  it('refuses what is nested too deeply', () => {
    expect(isMonstrous(bytes('['.repeat(64) + ']'.repeat(64)))).toBe(false);
    expect(isMonstrous(bytes('['.repeat(65)))).toBe(true);
    expect(isMonstrous(bytes('{"a":'.repeat(65)))).toBe(true);
  });

  it('refuses what holds too many values', () => {
    expect(isMonstrous(bytes(`[${'1,'.repeat(19_000)}1]`))).toBe(false);
    expect(isMonstrous(bytes(`[${'1,'.repeat(20_001)}1]`))).toBe(true);
  });

  it('is quick with the worst body that gets in', () => {
    // Two million levels took three seconds to parse; the look ends at the sixty-fifth.
    expect(isMonstrous(bytes('['.repeat(4_000_000)))).toBe(true);
  });
});
