import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

describe('the command line', () => {
  const { argv } = process;
  let mask: number;

  beforeEach(() => {
    mask = process.umask(0o022);
    process.argv = ['node', 'dagi', '--version'];
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
  });
  afterEach(() => {
    process.umask(mask);
    process.argv = argv;
    jest.restoreAllMocks();
  });

  it('should make files, and let its children make them, that are for their owner alone', async () => {
    await import('./main.js');
    expect(process.umask(0o022)).toBe(0o077);
  });
});
