import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import { guardMcp } from './guard.js';

describe(guardMcp, () => {
  let server: FastifyInstance;

  beforeAll(async () => {
    server = fastify();
    guardMcp(server, { hosts: () => ['mcp.example.org'], origins: () => ['app.example.org'] });
    server.post('/mcp', () => 'served');
    await server.ready();
  });
  afterAll(() => server.close());

  const status = async (headers: Record<string, string>, payload: object = {}): Promise<number> =>
    (await server.inject({ method: 'POST', url: '/mcp', headers, payload })).statusCode;

  it.each([
    ['this machine', { host: 'localhost:9400' }],
    ['this machine by its address', { host: '127.0.0.1:9400' }],
    ['its public name', { host: 'mcp.example.org' }],
    ['a page of this machine', { host: 'localhost', origin: 'http://localhost:3000' }],
    ['a page that may', { host: 'mcp.example.org', origin: 'https://app.example.org' }],
  ])('should serve %s', async (_, headers) => {
    expect(await status(headers)).toBe(200);
  });

  it.each([
    ['another name', { host: 'evil.example.com' }],
    ['a page of elsewhere', { host: 'localhost', origin: 'https://evil.example.com' }],
    ['a page of nowhere', { host: 'localhost', origin: 'null' }],
    ['a name that only begins like ours', { host: 'mcp.example.org.evil.com' }],
  ])('should turn away %s', async (_, headers) => {
    expect(await status(headers)).toBeGreaterThanOrEqual(400);
  });

  it('should take one message at a time', async () => {
    expect(await status({ host: 'localhost' }, [{ jsonrpc: '2.0' }])).toBeGreaterThanOrEqual(400);
  });
});
