import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import { checkProviders } from './doctor-providers.js';

describe(checkProviders.name, () => {
  let server: Server;
  let base: string;

  beforeEach(async () => {
    server = createServer((request, response) => {
      const welcome = request.headers.authorization === 'Bearer right';
      response.writeHead(welcome ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model' }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const check = (part: Partial<Env>): ReturnType<typeof checkProviders> =>
    checkProviders({ DAGI_PROFILE: 'dev', ...part } as Env);

  it('should ask an endpoint as the product does, with its key', async () => {
    const found = await check({ OPENAI_BASE_URL: base, OPENAI_API_KEY: 'right' });
    expect(found).toEqual({ ok: true, text: 'embedded, openai' });
  });

  it('should say what is wrong with each, and the remedy', async () => {
    const found = await check({
      OPENAI_BASE_URL: base,
      OPENAI_API_KEY: 'wrong',
      OLLAMA_BASE_URL: 'http://127.0.0.1:1',
    });
    expect(found).toEqual({
      ok: false,
      text: expect.stringMatching(/ollama does not answer.*openai refused the API key.*correct its address or key/),
    });
  });
});
