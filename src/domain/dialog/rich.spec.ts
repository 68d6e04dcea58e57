import { describe, expect, it } from '@jest/globals';
import { button } from './buttons.js';
import { bold, lines, rich } from './rich.js';

/** Shown as "Pay 0001 EUR" to whoever is to approve it. */
const TURNED = 'Pay \u202e1000\u202c EUR';

describe('messages of our own', () => {
  it('should not let what stands in them turn the direction of writing', () => {
    const { text, marks } = lines([bold(TURNED), TURNED, rich('\u2067a\u2069', bold('b'))]);
    expect(text).toBe('Pay 1000 EUR\nPay 1000 EUR\nab');
    expect(marks).toEqual([
      { kind: 'bold', at: 0, length: 12 },
      { kind: 'bold', at: 27, length: 1 },
    ]);
    expect(button(TURNED, { what: 'drop' }).label).toBe('Pay 1000 EUR');
  });
});
