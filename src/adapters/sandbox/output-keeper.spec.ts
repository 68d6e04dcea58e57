import { describe, expect, it } from '@jest/globals';
import type { ToolOutput } from '../../contracts/devtools.js';
import { OutputKeeper } from './output-keeper.js';

describe(OutputKeeper.name, () => {
  it('should keep both streams in order, and standard output alone', () => {
    const keeper = new OutputKeeper(100, undefined);
    keeper.take('stdout', Buffer.from('a'));
    keeper.take('stderr', Buffer.from('b'));
    keeper.take('stdout', Buffer.from('c'));
    expect(keeper).toMatchObject({ output: 'abc', stdout: 'ac', stdoutTruncated: false });
  });

  it('should keep the end of the output and the start of standard output', () => {
    const keeper = new OutputKeeper(4, undefined);
    for (const text of ['12', '345', '6']) keeper.take('stdout', Buffer.from(text));
    expect(keeper).toMatchObject({ output: '3456', stdout: '1234', stdoutTruncated: true });
  });

  it('should not cut a letter in two, neither at a bound nor between pieces', () => {
    const heard: ToolOutput[] = [];
    const keeper = new OutputKeeper(3, (output) => heard.push(output));
    const bytes = Buffer.from('ääa');
    keeper.take('stdout', bytes.subarray(0, 1));
    keeper.take('stderr', Buffer.from('x'));
    keeper.take('stdout', bytes.subarray(1));
    keeper.end();
    expect(heard.map(({ stream, text }) => `${stream}:${text}`)).toEqual(['stderr:x', 'stdout:ääa']);
    expect(keeper.stdout).toBe('ä');
    expect(keeper.output).toBe('äa');
  });

  it('should hand on a letter that was never finished', () => {
    const heard: ToolOutput[] = [];
    const keeper = new OutputKeeper(10, (output) => heard.push(output));
    keeper.take('stderr', Buffer.from('ä').subarray(0, 1));
    keeper.end();
    expect(heard).toEqual([{ stream: 'stderr', text: '\ufffd' }]);
    expect(keeper.output).toBe('\ufffd');
  });

  it('should tell a flood, and take no more of it', () => {
    const keeper = new OutputKeeper(10, undefined);
    const piece = Buffer.alloc(1 << 20, 'x');
    for (let i = 0; i < 16; i++) keeper.take('stdout', piece);
    expect(keeper.flooded).toBe(false);
    keeper.take('stdout', piece);
    expect(keeper.flooded).toBe(true);
    keeper.take('stdout', Buffer.from('end'));
    expect(keeper.output).toBe('x'.repeat(10));
  });
});
