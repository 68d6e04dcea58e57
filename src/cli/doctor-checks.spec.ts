import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import { checksOf } from './doctor-checks.js';
import type { Finding } from './doctor-finding.js';
import type { RunFile } from './run-file.js';

describe(checksOf, () => {
  let server: Server;
  let running: RunFile;
  let ready: { status: number; body: string };

  beforeEach(async () => {
    server = createServer((_request, response) => response.writeHead(ready.status).end(ready.body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    running = { pid: 1, url, temporal_address: 'h:1', temporal_ui: null, started_at: 'now' };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const check = async (name: string, env: Partial<Env>, instance?: RunFile): Promise<Finding> => {
    const found = checksOf(env as Env, instance).find((one) => one.name === name);
    return found!.run();
  };

  it('tells what the running instance warns of, which may have other variables than are set here', async () => {
    ready = { status: 200, body: JSON.stringify({ ready: true, warnings: ['our.yml:1:1: one', 'two'] }) };
    expect(await check('API', {}, running)).toEqual({
      ok: true,
      text: `${running.url} is ready\n     warning: our.yml:1:1: one\n     warning: two`,
    });
    ready.body = 'something else';
    expect(await check('API', {}, running)).toEqual({ ok: true, text: `${running.url} is ready` });
    ready.status = 503;
    expect(await check('API', {}, running)).toMatchObject({ ok: false });
  });

  it('says whose configuration it looks at, and asks for the key that a start would ask for', async () => {
    expect(await check('configuration', { DAGI_PROFILE: 'dev' })).toEqual({ ok: true, text: 'profile dev, 1 rule' });
    expect((await check('configuration', { DAGI_PROFILE: 'prod' }, running)).text).toMatch(
      /^profile prod as the variables are set here, \d+ rules?\n {5}warning: .*prod\.yml:\d+:\d+: /,
    );
    await expect(async () => check('configuration', { DAGI_PROFILE: 'prod' })).rejects.toThrow('Set DAGI_ADMIN_KEY');
  });
});
