import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DownloadSource, type DownloadOptions } from './download.js';

describe(DownloadSource.name, () => {
  let server: Server;
  let folder: string;
  let answer: RequestListener;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-download-'));
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
  const download = (
    options: Partial<DownloadOptions> = {},
    progress: (bytes: number, total?: number) => void = () => undefined,
  ) => new DownloadSource({ name: 'test', url: url(), ...options }).fetch({ folder, progress });

  it('should deliver the file and tell how far it is', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-length': '5' }).end('hello');
    const seen: [number, number | undefined][] = [];
    const file = await download({}, (bytes, total) => seen.push([bytes, total]));
    expect(await readFile(file, 'utf8')).toBe('hello');
    expect(seen.at(-1)).toEqual([5, 5]);
  });

  it('should unpack what it downloaded', async () => {
    answer = (_request, response) => response.end('archive');
    const unpack = async (archive: string, into: string): Promise<string> => {
      await writeFile(join(into, 'unpacked'), `${await readFile(archive, 'utf8')} unpacked`);
      return join(into, 'unpacked');
    };
    expect(await readFile(await download({ unpack }), 'utf8')).toBe('archive unpacked');
  });

  it('should name the status of a refusal', async () => {
    answer = (_request, response) => response.writeHead(404).end();
    await expect(download()).rejects.toThrow(/^HTTP 404 from http/);
  });

  it('should notice that the file is cut off', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 20);
    };
    await expect(download()).rejects.toThrow();
  });

  it('should give up on a server that does not answer', async () => {
    answer = () => undefined;
    await expect(download({ connectTimeoutMs: 50 })).rejects.toThrow('no answer within 0.05 s');
  });

  it('should give up on a server that falls silent', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'content-length': '100' }).write('half');
    await expect(download({ idleTimeoutMs: 80 })).rejects.toThrow('no data arrived within 0.08 s');
  });

  it('should wait for a server that is slow but alive', async () => {
    answer = (_request, response) => {
      let left = 6;
      const timer = setInterval(() => {
        response.write('x');
        left -= 1;
        if (left === 0) clearInterval(timer);
        if (left === 0) response.end();
      }, 30);
    };
    expect(await readFile(await download({ connectTimeoutMs: 100, idleTimeoutMs: 100 }), 'utf8')).toBe('xxxxxx');
  });

  it('should tell the cause behind a failed connection', async () => {
    const closed = url();
    await expect(download({ url: closed.replace(/:\d+/, ':9') })).rejects.toThrow();
    await expect(download({ url: 'http://no-such-host.invalid/' })).rejects.toThrow(/no-such-host\.invalid/);
  });
});
