import { link, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunTestsResult } from '../../src/contracts/devtools.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product, until, type Call, type Reply } from './harness.js';
import { allEvents, eventsOf } from './sse.js';

const HASH_OF_HELLO = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
const CONTRIBUTOR = 'tg:222';

/** A test of Node that passes, one that fails, and one that prints for as long as it is let. */
const PROJECT = {
  'package.json': JSON.stringify({ name: 'small', type: 'module', scripts: { test: 'node --test' } }),
  'sum.js': 'export const sum = (a, b) => a + b;\n',
  'sum.test.js': `import assert from 'node:assert';
import { test } from 'node:test';
import { sum } from './sum.js';
test('adds', () => assert.equal(sum(1, 2), 3));
test('adds wrongly', () => assert.equal(sum(1, 2), 4));
`,
};
const SLOW = `import { test } from 'node:test';
test('goes on', async () => {
  for (let n = 0; n < 600; n += 1) {
    console.log('line ' + n);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
`;

describe('tools', () => {
  let fake: WireFake;
  let product: Product;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  const workspace = (...path: string[]): string => join(product.home, 'workspaces', DAO, ...path);

  const tool = (name: string, params: object = {}, call: Call = {}): Promise<Reply> =>
    product.call('POST', `/devtools/${name}`, call, { dao_id: DAO, user_id: CONTRIBUTOR, ...params });

  /** What a tool gave. */
  async function given<T = Record<string, unknown>>(name: string, params: object = {}, call: Call = {}): Promise<T> {
    const { status, body } = await tool(name, params, call);
    if (status !== 200) throw new Error(`${name}: ${JSON.stringify(body)}`);
    return body as unknown as T;
  }

  async function plant(files: Record<string, string>, folder = ''): Promise<void> {
    await mkdir(workspace(folder), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(workspace(folder, name), text);
  }

  const denials = async (): Promise<number> => {
    const { body } = await product.call('GET', `/audit?dao_id=${DAO}&limit=200`);
    const { rows } = body as unknown as { rows: { action: string; detail: { code?: string } }[] };
    return rows.filter(({ action, detail }) => action === 'access.denied' && detail.code === 'PATH_DENIED').length;
  };

  it('should write a file, and give it back with its hash', async () => {
    const written = await tool('fs_write', { path: 'notes/hello.txt', content: 'hello\n' });
    expect(written.status).toBe(200);
    expect(written.body).toMatchObject({
      ...{ ok: true, path: 'notes/hello.txt', hash: HASH_OF_HELLO, size: 6, created: true, previous_hash: null },
    });
    expect(await readFile(workspace('notes', 'hello.txt'), 'utf8')).toBe('hello\n');
    const read = await tool('fs_read', { path: 'notes/hello.txt' });
    expect(read.body).toMatchObject({ ok: true, content: 'hello\n', hash: HASH_OF_HELLO, encoding: 'utf8' });
    expect(read.headers.get('location')).toBe(`/requests/${read.body.request_id}`);
  });

  it('should be asked over /route too, by a tool without a prompt', async () => {
    await plant({ 'route.txt': 'over route' });
    const metadata = { dao_id: DAO, user_id: CONTRIBUTOR, tool: 'fs_read', params: { path: 'route.txt' } };
    const { status, body } = await product.call('POST', '/route', {}, { mode: 'devtools', metadata });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ ok: true, mode: 'devtools', rule: 'devtools', status: 'completed', provider: null, attempts: [] },
      ...{ origin: { step: 'tool' }, data: { path: 'route.txt', content: 'over route' } },
      workflow_id: `devtools/${body.request_id}`,
    });
    expect(body.timings_ms).toMatchObject({ tool: expect.any(Number), total: expect.any(Number) });
    const again = await product.call('GET', `/requests/${body.request_id}`);
    expect(again.body).toEqual(body);
  });

  it('should write only what nobody changed meanwhile', async () => {
    await plant({ 'shared.txt': 'one' });
    const { hash } = await given<{ hash: string }>('fs_read', { path: 'shared.txt' });
    await given('fs_write', { path: 'shared.txt', content: 'two', expected_hash: hash });
    const late = await tool('fs_write', { path: 'shared.txt', content: 'three', expected_hash: hash });
    expect(late.status).toBe(409);
    expect(late.body.error.code).toBe('FILE_CHANGED');
    const made = await tool('fs_write', { path: 'shared.txt', content: 'four', expected_hash: null });
    expect(made.body.error.code).toBe('FILE_EXISTS');
    expect(await readFile(workspace('shared.txt'), 'utf8')).toBe('two');
  });

  it('should list, compare and patch', async () => {
    await plant({ 'a.txt': 'a\nb\nc\n' }, 'lists');
    const { entries } = await given<{ entries: object[] }>('fs_list', { path: 'lists' });
    expect(entries).toMatchObject([{ path: 'lists/a.txt', type: 'file', size: 6 }]);
    const { diff } = await given<{ diff: string }>('fs_diff', { path: 'lists/a.txt', content: 'a\nB\nc\n' });
    expect(diff).toContain('-b\n+B\n');
    const { files } = await given<{ files: object[] }>('fs_patch', { patch: diff });
    expect(files).toMatchObject([{ path: 'lists/a.txt' }]);
    expect(await readFile(workspace('lists', 'a.txt'), 'utf8')).toBe('a\nB\nc\n');
    const twice = await tool('fs_patch', { patch: diff });
    expect(twice.body.error.code).toBe('PATCH_REJECTED');
  });

  it('should search', async () => {
    await plant({ 'one.js': 'const needle = 1;\n', 'two.txt': 'no\nNeedle here\n' }, 'hay');
    const { matches } = await given<{ matches: object[] }>('fs_search', { pattern: 'needle', path: 'hay' });
    expect(matches).toMatchObject([
      { path: 'hay/one.js', line: 1, column: 7 },
      { path: 'hay/two.txt', line: 2, column: 1 },
    ]);
  });

  it('should run tests, and tell of each', async () => {
    await plant(PROJECT, 'small');
    const run = await given<RunTestsResult>('run_tests', { path: 'small' });
    expect(run).toMatchObject({ framework: 'node', passed: 1, failed: 1, skipped: 0, ended_by: 'exit' });
    expect(run.tests[0]).toMatchObject({
      name: 'adds wrongly',
      status: 'failed',
      message: expect.stringContaining('4'),
    });
  });

  it('should keep nothing of what tests write', async () => {
    const writes = `import { test } from 'node:test';
import { writeFileSync } from 'node:fs';
test('writes', () => writeFileSync('written.txt', 'x'));
`;
    await plant({ 'package.json': PROJECT['package.json'], 'w.test.js': writes }, 'writing');
    expect(await given<RunTestsResult>('run_tests', { path: 'writing' })).toMatchObject({ passed: 1, failed: 0 });
    await expect(stat(workspace('writing', 'written.txt'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('should stream what a program prints, and stop it for real', async () => {
    await plant({ 'package.json': PROJECT['package.json'], 'slow.test.js': SLOW }, 'slow');
    const metadata = { dao_id: DAO, user_id: CONTRIBUTOR, tool: 'run_tests', params: { path: 'slow' } };
    const body = JSON.stringify({ mode: 'devtools', metadata });
    const response = await product.fetch('POST', '/route', { headers: { accept: 'text/event-stream' } }, body);
    const types: (string | undefined)[] = [];
    let id = '';
    let text = '';
    let isStopped = false;
    for await (const { type, data } of eventsOf(response)) {
      types.push(type);
      if (type === 'route') id = data.request_id;
      if (type === 'output') text += data.text;
      if (type === 'output' && text.includes('line 2') && !isStopped) {
        isStopped = true;
        const cancelled = await product.call('DELETE', `/requests/${id}`);
        expect(cancelled.body.status).toBe('cancelled');
      }
      if (type === 'error') expect(data.error.code).toBe('REQUEST_CANCELLED');
    }
    expect(types[0]).toBe('route');
    expect(types.at(-1)).toBe('error');
    const { body: seen } = await product.call('GET', `/requests/${id}`);
    expect(seen.status).toBe('cancelled');
  });

  it('should answer 202 where a tool takes longer than the caller waits', async () => {
    await plant({ 'package.json': PROJECT['package.json'], 'slow.test.js': SLOW }, 'slow');
    const reply = await tool('run_tests', { path: 'slow' }, { headers: { prefer: 'wait=1' } });
    expect(reply.status).toBe(202);
    expect(reply.body).toMatchObject({ ok: true, status: 'running' });
    await product.call('DELETE', `/requests/${reply.body.request_id}`);
  });

  it('should do what was asked once for one Idempotency-Key', async () => {
    const call = { headers: { 'idempotency-key': 'once' } };
    const first = await tool('fs_write', { path: 'once.txt', content: '1', expected_hash: null }, call);
    const second = await tool('fs_write', { path: 'once.txt', content: '1', expected_hash: null }, call);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    const other = await tool('fs_write', { path: 'once.txt', content: '2' }, call);
    expect(other.body.error.code).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('should keep every way out shut, and put each attempt on the record', async () => {
    await writeFile(join(product.home, 'secret.txt'), 'top secret');
    await plant({ 'inside.txt': 'inside' });
    await symlink(join(product.home, 'secret.txt'), workspace('link.txt'));
    await symlink(product.home, workspace('folder-link'));
    await link(join(product.home, 'secret.txt'), workspace('hard.txt'));
    const before = await denials();
    const ways = [
      '../../secret.txt',
      '/etc/passwd',
      'link.txt',
      'folder-link/secret.txt',
      'hard.txt',
      'notes/../../../secret.txt',
      '/proc/self/environ',
    ];
    for (const path of ways) {
      const reply = await tool('fs_read', { path });
      expect([path, reply.status, reply.body.error.code]).toEqual([path, 403, 'PATH_DENIED']);
      expect(JSON.stringify(reply.body)).not.toContain('top secret');
      const write = await tool('fs_write', { path, content: 'overwritten' });
      expect(write.body.error.code).toBe('PATH_DENIED');
    }
    expect(await readFile(join(product.home, 'secret.txt'), 'utf8')).toBe('top secret');
    await until(async () => (await denials()) > before, 'a denial on the record');
  });

  it('should show a DAO nothing of another one', async () => {
    await plant({ 'ours.txt': 'ours' });
    await product.createDao('other-dao', { 'tg:7': ['contributor'] });
    const theirs = { dao_id: 'other-dao', user_id: 'tg:7' };
    const { body } = await tool('fs_list', { ...theirs, depth: 20 });
    expect(body).toMatchObject({ ok: true, entries: [] });
    for (const path of ['ours.txt', `../${DAO}/ours.txt`]) {
      expect((await tool('fs_read', { ...theirs, path })).status).toBeGreaterThanOrEqual(400);
    }
  });

  it('should be open to those alone who may use tools', async () => {
    const { status, body } = await tool('fs_list', { user_id: 'tg:12345' });
    expect(status).toBe(403);
    expect(body.error).toMatchObject({ code: 'RBAC_PERMISSION_DENIED', required_entitlement: 'agent.devtools' });
  });

  it.each([
    ['fs_read', {}, /path/],
    ['fs_read', { path: 7 }, /path/],
    ['fs_write', { path: 'a', content: 'a\u0000b' }, /base64/],
    ['fs_write', { path: 'a', content: 'no', expected_hash: 'short' }, /SHA-256/],
    ['fs_list', { depth: 99 }, /depth/],
    ['fs_diff', { path: 'a' }, /other_path and content/],
    ['git_diff', { from: '--output=/tmp/x' }, /from/],
    ['run_tests', { framework: 'make' }, /framework/],
    ['notebook_execute', {}, /path and notebook/],
    ['fs_list', { nonsense: 1 }, /nonsense/],
  ])('should refuse what %s cannot take: %j', async (name, params, told) => {
    const { status, body } = await tool(name, params);
    expect([status, body.error.code]).toEqual([400, 'BODY_INVALID']);
    expect(body.error.message).toMatch(told);
  });

  it('should name the tools where a request over /route names none', async () => {
    const reply = await product.call('POST', '/route', {}, { mode: 'devtools', metadata: { tool: 'fs_format' } });
    expect(reply.body.error.message).toMatch(/metadata\.tool: expected one of fs_read, fs_write/);
  });

  it('should be followed by whoever comes later', async () => {
    await plant({ 'late.txt': 'late' });
    const { request_id: id } = (await tool('fs_read', { path: 'late.txt' })).body;
    const events = await allEvents(await product.fetch('GET', `/requests/${id}/events`));
    expect(events.at(-1)).toMatchObject({ type: 'done', data: { data: { content: 'late' } } });
  });
});
