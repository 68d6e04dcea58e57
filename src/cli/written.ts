import type { Writable } from 'node:stream';

/** Resolves when all that was written to a stream is out, or nobody reads it any more: the end of the process cuts it off. */
export async function written(stream: Writable): Promise<void> {
  if (stream.writableLength === 0) return;
  await new Promise<void>((done) => {
    stream.write('', () => {
      done();
    });
  });
}
