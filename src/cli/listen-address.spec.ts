import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { addressProblem, explain, requireAddress } from './listen-address.js';

async function listening<T>(port: number, action: (port: number) => Promise<T>): Promise<T> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    return await action((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('the address to listen on', () => {
  it('should be fine where it is free', async () => {
    await expect(addressProblem({ HOST: '127.0.0.1', PORT: 0 })).resolves.toBeUndefined();
  });

  it('should be refused where it is in use, with the remedy', async () => {
    const refusal = listening(0, (PORT) => requireAddress({ HOST: '127.0.0.1', PORT }));
    await expect(refusal).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringMatching(/^Port \d+ is in use: .*--port/),
    });
  });

  it('should be refused in words also for the last port', async () => {
    const problem = await listening(65_535, (PORT) => addressProblem({ HOST: '127.0.0.1', PORT }));
    expect(problem).toBe('Port 65535 is in use: stop the program that holds it, or choose another port with --port.');
  });

  it('should be refused where the host is none of this machine', async () => {
    await expect(addressProblem({ HOST: '192.0.2.1', PORT: 0 })).resolves.toMatch(/HOST 192\.0\.2\.1 .*: set HOST/);
    await expect(addressProblem({ HOST: 'no.such.invalid', PORT: 0 })).resolves.toMatch(/set HOST/);
  });

  it('should not call a port in use that is only forbidden', () => {
    expect(explain('EACCES', { HOST: '127.0.0.1', PORT: 80 })).toMatch(/^Port 80 is kept .*above 1023/);
  });
});
