import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { written } from './written.js';

describe(written, () => {
  it('waits until a slow reader has taken all', async () => {
    let taken = '';
    const slow = new Writable({
      write(chunk: Buffer, _encoding, done) {
        setTimeout(() => {
          taken += chunk.toString();
          done();
        }, 5);
      },
    });
    slow.write('a long ');
    slow.write('answer');
    await written(slow);
    expect(taken).toBe('a long answer');
  });

  it('waits for nobody who has gone away', async () => {
    const gone = new Writable({
      write(_chunk, _encoding, done) {
        setTimeout(() => {
          done(new Error('EPIPE'));
        }, 5);
      },
    });
    gone.on('error', () => undefined);
    gone.write('an answer');
    await written(gone);
    expect(gone.errored).toMatchObject({ message: 'EPIPE' });
    await written(gone);
  });

  it('waits for nothing where nothing is left', async () => {
    const stuck = new Writable({ write: () => undefined });
    await expect(written(stuck)).resolves.toBeUndefined();
  });
});
