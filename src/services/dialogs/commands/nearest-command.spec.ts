import { describe, expect, it } from '@jest/globals';
import { COMMAND_NAMES } from '../../../contracts/conversation.js';
import { nearestCommand } from './nearest-command.js';

describe('a command', () => {
  it.each([
    ['hlep', 'help'],
    ['propos', 'propose'],
    ['vot', 'vote'],
    ['codereview', 'code_review'],
    ['proposal', 'proposals'],
    ['staus', 'status'],
  ])('should be found near to a mistyped one: %s', (typed, meant) => {
    expect(nearestCommand(typed, COMMAND_NAMES)).toBe(meant);
  });

  it.each(['weather', 'settings', 'x', 'ban'])('should not be found near to another one: %s', (typed) => {
    expect(nearestCommand(typed, COMMAND_NAMES)).toBeUndefined();
  });
});
