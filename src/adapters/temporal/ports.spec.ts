import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bindFailure, choosePorts, freePort, isFree } from './ports.js';

describe('ports of the development server', () => {
  let busy: Server;
  let busyPort: number;

  beforeEach(async () => {
    busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    busyPort = (busy.address() as AddressInfo).port;
  });
  afterEach(() => new Promise((resolve) => busy.close(resolve)));

  it('should tell a busy port from a free one', async () => {
    await expect(isFree(busyPort)).resolves.toBe(false);
    const free = await freePort();
    await expect(isFree(free)).resolves.toBe(true);
  });

  it('should tell why a port cannot be bound', async () => {
    await expect(bindFailure(busyPort)).resolves.toBe('EADDRINUSE');
    await expect(bindFailure(0, '192.0.2.1')).resolves.toBe('EADDRNOTAVAIL');
    await expect(bindFailure(0)).resolves.toBeUndefined();
  });

  it('should take the ports that are wished for', async () => {
    const [grpc, ui] = [await freePort(), await freePort()];
    await expect(choosePorts({ grpc, ui })).resolves.toMatchObject({ grpc, ui });
  });

  it('should choose four different ports, whether or not the usual ones are free', async () => {
    const ports = await choosePorts({ grpc: undefined, ui: undefined });
    expect(new Set(Object.values(ports)).size).toBe(4);
    await expect(Promise.all(Object.values(ports).map(isFree))).resolves.toEqual([true, true, true, true]);
  });

  it('should choose a free port where 0 is wished for', async () => {
    const { grpc, ui } = await choosePorts({ grpc: 0, ui: 0 });
    expect([grpc, ui]).not.toContain(0);
    expect(grpc).not.toBe(7233);
  });

  it.each([
    ['TEMPORAL_PORT', () => ({ grpc: busyPort, ui: undefined })],
    ['TEMPORAL_UI_PORT', () => ({ grpc: undefined, ui: busyPort })],
  ])('should name the port and %s where a fixed port is busy', async (variable, wishes) => {
    await expect(choosePorts(wishes())).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining(`Port ${busyPort} (${variable}) is in use`),
    });
  });

  it('should refuse the same port twice', async () => {
    const port = await freePort();
    await expect(choosePorts({ grpc: port, ui: port })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  });
});
