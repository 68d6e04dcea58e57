import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { COMMAND_NAMES, COMPLAINTS, MARKS } from '../../contracts/conversation.js';
import { CHOICES } from '../../contracts/proposal.js';
import { GATE_ACTS, pressOf, readPress, type Press } from './presses.js';

const requestId = fc.uuid();
const tag = fc.stringMatching(/^[0-9a-f]{8}$/);
const longTag = fc.stringMatching(/^[0-9a-f]{16}$/);
const n = fc.integer({ min: 1, max: 999_999_999 });
const press: fc.Arbitrary<Press> = fc.oneof(
  fc.record({ what: fc.constant('mark' as const), requestId, mark: fc.constantFrom(...MARKS) }),
  fc.record({ what: fc.constant('wrong' as const), requestId, complaint: fc.constantFrom(...COMPLAINTS) }),
  fc.record({ what: fc.constant('offer' as const), id: fc.uuid(), choice: fc.constantFrom('yes', 'no', 'ask') }),
  fc.record({ what: fc.constant('vote' as const), n, tag, choice: fc.constantFrom(...CHOICES) }),
  fc.record({ what: fc.constant('prop' as const), n, tag, act: fc.constantFrom('open', 'withdraw') }),
  fc.record({
    ...{ what: fc.constant('say' as const), command: fc.constantFrom(...COMMAND_NAMES), tag },
    args: fc.oneof(fc.constant(''), n.map(String)),
  }),
  fc.record({ what: fc.constant('gate' as const), tag: longTag, act: fc.constantFrom(...GATE_ACTS) }),
  fc.record({ what: fc.constant('dao' as const), tag: longTag }),
  fc.record({ what: fc.constant('stop' as const), runId: fc.uuid() }),
  fc.constant({ what: 'drop' as const }),
);

describe('what buttons send', () => {
  it('should be read as what it was, and fit what platforms give back', () => {
    fc.assert(
      fc.property(press, (one) => {
        const data = pressOf(one);
        expect(data).toMatch(/^[a-z]+:[^:]+(:[^:]+)?$/);
        expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64);
        expect(readPress(data)).toEqual(one);
      }),
    );
  });

  it('should be nothing where no button of ours sends it', () => {
    fc.assert(
      fc.property(fc.string(), (data) => {
        const read = readPress(data);
        if (read) expect(readPress(pressOf(read))).toEqual(read);
      }),
    );
  });

  it.each([
    ...['', ':', 'good', 'good:', 'fine:r1', 'wrong:r1', 'wrong:r1:colour', 'offer:o1:maybe', 'vote:12:yes'],
    ...['vote:0.01234567:yes', 'vote:12.01234567:perhaps', 'prop:12.01234567:close', 'say:sudo.01234567'],
    ...['gate:', 'gate:0123456789abcdef', 'gate:0123456789abcdef:open', 'gate:0123:maybe'],
    ...[`good:${'a'.repeat(60)}`, 'good:r1:yes:more', 'good:a b', 'constructor:a', '__proto__:a'],
  ])('should be nothing: %j', (data) => {
    expect(readPress(data)).toBeUndefined();
  });

  it('should not be cut where it is too long', () => {
    expect(() => pressOf({ what: 'stop', runId: 'a'.repeat(60) })).toThrow(RangeError);
  });
});
