import { describe, expect, it } from '@jest/globals';
import { distrust } from './trust.js';

describe(distrust.name, () => {
  const ours = process.getuid?.() ?? 0;

  it.each([
    ['our own', { uid: ours, mode: 0o100755 }],
    ["root's", { uid: 0, mode: 0o100755 }],
  ])('should trust a file that is %s', (_whose, file) => {
    expect(distrust(file)).toBeUndefined();
  });

  it.each([
    ["another user's", { uid: ours + 1, mode: 0o100700 }, /another user/],
    ["the group's to write", { uid: ours, mode: 0o100720 }, /written by other users/],
    ["everybody's to write", { uid: ours, mode: 0o100702 }, /written by other users/],
  ])('should not trust a file that is %s', (_whose, file, why) => {
    expect(distrust(file)).toMatch(why);
  });
});
