import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatEventId, parseEventId } from './events.js';

describe('formatEventId', () => {
  it('writes generation and offset', () => {
    expect(formatEventId({ generation: 2, offset: 17 })).toBe('2-17');
  });
});

describe('parseEventId', () => {
  it('reads back what was written', () => {
    const positions = fc.record({ generation: fc.nat({ max: 999_999 }), offset: fc.nat({ max: 999_999_999 }) });
    fc.assert(
      fc.property(positions, (position) => {
        expect(parseEventId(formatEventId(position))).toEqual(position);
      }),
    );
  });

  it.each(['', '1', '1-', '-1', '1-2-3', ' 1-2', '1-2\n', '-1-2', '1--2', '1.5-2', 'a-b', '1234567-1', '1-1234567890'])(
    'does not take %j for one of ours',
    (id) => {
      expect(parseEventId(id)).toBeUndefined();
    },
  );

  it('takes nothing that it would not have written, but for leading zeros', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const position = parseEventId(id);
        if (position) expect(id.replace(/(^|-)0+(?=\d)/g, '$1')).toBe(formatEventId(position));
      }),
    );
  });
});
