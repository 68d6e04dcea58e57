import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DifyTools } from '../clients/dify-tools.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product } from './harness.js';

const TESTS = `const { test } = require('node:test');
test('stands', () => undefined);
test('falls', () => { throw new Error('it fell'); });
`;

describe('tools as Dify imports them', () => {
  let fake: WireFake;
  let product: Product;
  let dify: DifyTools;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
    const { key } = await product.key({ dao_id: DAO, principal: 'tg:222' });
    dify = new DifyTools(product.url, key);
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  it('Dify 19: should write, read, list and search files, each by its own tool', async () => {
    const written = await dify.call('fsWrite', { path: 'may/plan.md', content: 'Sow rutabaga\n' });
    expect(written).toMatchObject({ status: 200, body: { ok: true, created: true, size: 13 } });
    expect(await dify.call('fsRead', { path: 'may/plan.md' })).toMatchObject({ body: { content: 'Sow rutabaga\n' } });
    const listed = await dify.call('fsList', { path: 'may' });
    expect(listed.body.entries).toMatchObject([{ path: 'may/plan.md', type: 'file' }]);
    const found = await dify.call('fsSearch', { pattern: 'rutabaga' });
    expect(found.body.matches).toMatchObject([{ path: 'may/plan.md', line: 1 }]);
  });

  it('Dify 19: should patch a file, and refuse a change of what somebody else has changed', async () => {
    const { body } = await dify.call('fsWrite', { path: 'shared.txt', content: 'one\n' });
    const patch = '--- a/shared.txt\n+++ b/shared.txt\n@@ -1,1 +1,1 @@\n-one\n+two\n';
    expect(await dify.call('fsPatch', { patch })).toMatchObject({ status: 200, body: { ok: true } });
    const late = { path: 'shared.txt', content: 'three\n', expected_hash: String(body.hash) };
    expect(await dify.call('fsWrite', late)).toMatchObject({ status: 409, body: { error: { code: 'FILE_CHANGED' } } });
  });

  it('Dify 19: should run tests, and tell why one fails', async () => {
    await dify.call('fsWrite', { path: 'small/package.json', content: '{"name":"small"}' });
    await dify.call('fsWrite', { path: 'small/a.test.js', content: TESTS });
    const { body } = await dify.call('runTests', { path: 'small', framework: 'node' });
    expect(body).toMatchObject({ ok: true, passed: 1, failed: 1 });
    expect(body.tests).toContainEqual(
      expect.objectContaining({ name: 'falls', status: 'failed', message: expect.stringContaining('it fell') }),
    );
  });

  it('Dify 19: should take a tool over route, with metadata as JSON in a text', async () => {
    await dify.call('fsWrite', { path: 'route.txt', content: 'over route' });
    const metadata = JSON.stringify({ tool: 'fs_read', params: { path: 'route.txt' } });
    const { status, body } = await dify.call('route', { prompt: '', mode: 'devtools', metadata });
    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: true, mode: 'devtools', data: { path: 'route.txt', content: 'over route' } });
    const again = await dify.call('getRequest', { id: String(body.request_id) });
    expect(again.body).toEqual(body);
  });

  it('Dify 19: should say in words that a model can use what it may not do', async () => {
    const { status, body } = await dify.call('fsRead', { path: '../other-dao/notes.txt' });
    expect(status).toBe(403);
    expect(body.error).toMatchObject({ code: 'PATH_DENIED', message: expect.stringMatching(/\w+ \w+/) });
  });
});
