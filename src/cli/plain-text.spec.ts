import { describe, expect, it } from '@jest/globals';
import { AnswerPrinter, describeTimings } from './answer-printer.js';
import { CliError, describeFailure } from './failure.js';
import { plain } from './plain-text.js';
import { table } from './table.js';

const EVIL = '\u001b]0;mine\u0007\u009b2J\r\u007f';
const LEFT = ']0;mine2J';
const DATA = { text: EVIL, finish_reason: 'stop' };
const BODY = { ok: true, mode: 'chat', data: DATA, provider: EVIL, timings_ms: { total: 1 } };

describe(plain.name, () => {
  it('should keep lines, tabs and every letter', () => {
    expect(plain('a\n\tб 🙂 é')).toBe('a\n\tб 🙂 é');
  });

  it.each([
    ['an answer that streams', { type: 'token', data: { text: EVIL } }],
    ['a whole answer', { type: 'done', data: BODY }],
  ])('should guard the terminal from %s', (_what, event) => {
    let seen = '';
    new AnswerPrinter((text) => (seen += text)).hear(event as never);
    expect(seen.trimEnd()).toBe(LEFT);
  });

  it('should guard the terminal from names in a table, which also stay on their line', () => {
    expect(table(['name'], [[`${EVIL}\nroot`]])).toBe(`name\n${LEFT} root\n`);
  });

  it('should guard the terminal from errors and names of providers', () => {
    expect(describeFailure(new CliError(EVIL, EVIL), false)).toBe(`${LEFT}: ${LEFT}`);
    expect(describeTimings(BODY as never)).toBe(`${LEFT} · 1 ms in the product`);
  });
});
