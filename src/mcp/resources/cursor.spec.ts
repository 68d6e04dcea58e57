import { describe, expect, it } from '@jest/globals';
import { cursorOf, positionIn } from './cursor.js';

const encoded = (text: string): string => Buffer.from(text).toString('base64url');

describe(positionIn, () => {
  it('should find the position again', () => {
    for (const position of [
      { kind: 0, after: '' },
      { kind: 4, after: 'звіт.md' },
    ])
      expect(positionIn(cursorOf(position))).toEqual(position);
  });

  it.each([
    ...['', 'x', '{}', encoded(''), encoded('[1]'), encoded('[1,2]'), encoded('[-1,""]'), encoded('[1.5,""]')],
    ...[encoded('[1, ""]'), encoded('[1,"",2]'), `${encoded('[1,""]')}=`, ` ${encoded('[1,""]')}`],
    encoded(JSON.stringify([1, 'x'.repeat(9_000)])),
  ])('should know %j for none of ours', (cursor) => {
    expect(positionIn(cursor)).toBeUndefined();
  });
});
