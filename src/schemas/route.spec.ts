import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RouteSubmission } from '../contracts/request.js';
import { RouteBodySchema } from './route.js';

const parse = (body: unknown): RouteSubmission => RouteBodySchema.parse(body);
const problems = (body: unknown): string[] =>
  RouteBodySchema.safeParse(body).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** `levels` objects, one in the other, as they come from JSON. */
const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);

describe('RouteBodySchema', () => {
  it('takes a prompt alone for a chat', () => {
    expect(parse({ prompt: 'hello' })).toEqual({
      prompt: 'hello',
      mode: 'chat',
      agent: undefined,
      daoId: undefined,
      userId: undefined,
      sessionId: undefined,
      source: undefined,
      metadata: {},
    });
  });

  it('reads who, where and whence from the metadata, and keeps all of it', () => {
    const metadata = {
      dao_id: 'd',
      user_id: 'tg:1',
      session_id: 's',
      source: 'telegram',
      task_type: 'x',
      inputs: { a: [1] },
    };
    expect(parse({ prompt: 'p', agent: 'helper', metadata })).toEqual({
      prompt: 'p',
      mode: 'chat',
      agent: 'helper',
      daoId: 'd',
      userId: 'tg:1',
      sessionId: 's',
      source: 'telegram',
      metadata,
    });
  });

  it('reads the crew from the metadata, and keeps what it is given with its run alone', () => {
    const metadata = { dao_id: 'd', workflow: 'code_review', task_type: 'x' };
    const inputs = { path: 'src', a: [1] };
    expect(parse({ prompt: 'p', mode: 'crew', metadata: { ...metadata, inputs } })).toEqual({
      ...{ prompt: 'p', mode: 'crew', daoId: 'd', metadata },
      crew: { id: 'code_review', inputs },
    });
    expect(parse({ mode: 'crew', metadata: { workflow: 'planning' } })).toMatchObject({
      prompt: '',
      crew: { id: 'planning', inputs: {} },
    });
    expect(problems({ mode: 'crew', metadata: { inputs: 'x' } })).toEqual([
      'metadata.workflow: Invalid input: expected string, received undefined',
      'metadata.inputs: Invalid input: expected object, received string',
    ]);
  });

  it('ignores keys that it does not know, and names them where the prompt is missing', () => {
    expect(parse({ prompt: 'p', stream: true })).not.toHaveProperty('stream');
    const missing = 'prompt: a prompt that is not empty is needed';
    expect(problems({ promt: 'p', mode: 'chat' })).toEqual([`${missing}; not known: promt`]);
    expect(problems({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 })).toEqual([`${missing}; not known: a, b, c, d, e`]);
    expect(problems({ 'a b': 1, ['x'.repeat(41)]: 1 })).toEqual([missing]);
  });

  it('accepts the names that older clients send', () => {
    const old = {
      message: 'p',
      payload: { task_type: 'x' },
      dao_id: 'd',
      user_id: 'u',
      session_id: 's',
      source: 'web',
    };
    expect(parse(old)).toMatchObject({
      prompt: 'p',
      metadata: { task_type: 'x' },
      daoId: 'd',
      userId: 'u',
      sessionId: 's',
      source: 'web',
    });
    expect(parse({ message: 'p', payload: { dao_id: 'd', user_id: 'u' } })).toMatchObject({ daoId: 'd', userId: 'u' });
  });

  it('takes what is said twice alike, and refuses what is said twice differently', () => {
    const twice = { prompt: 'p', message: 'p', user_id: 'u', metadata: { user_id: 'u' }, payload: { user_id: 'u' } };
    expect(parse(twice)).toMatchObject({ prompt: 'p', userId: 'u' });
    const differs = 'is given twice, with different values';
    expect(problems({ prompt: 'new', message: 'old' })).toEqual([`prompt: ${differs}`]);
    // A gateway that names the user, and passes on the metadata of that user, must not be led to name another.
    expect(problems({ prompt: 'p', user_id: 'tg:12345', metadata: { user_id: 'tg:1' } })).toEqual([
      `user_id: ${differs}`,
    ]);
    expect(problems({ prompt: 'p', dao_id: 'a', payload: { dao_id: 'b' } })).toEqual([`dao_id: ${differs}`]);
    expect(problems({ prompt: 'p', metadata: { x: 1 }, payload: { x: 2 } })).toEqual([`metadata: ${differs}`]);
  });

  it('refuses metadata that is too large to be kept with every request', () => {
    expect(problems({ prompt: 'p', metadata: { x: 'y'.repeat(65_000) } })).toEqual([]);
    expect(problems({ prompt: 'p', metadata: { x: 'ї'.repeat(33_000) } })).toEqual([
      'metadata: holds more than 65536 bytes',
    ]);
  });

  it.each([{}, { prompt: '' }, { prompt: ' \n\t' }, { message: '' }, { prompt: '', message: 'x' }, { prompt: '\0' }])(
    'refuses %j for want of a prompt',
    (body) => {
      expect(problems(body)).toEqual(['prompt: a prompt that is not empty is needed']);
    },
  );

  it.each([
    [{ prompt: 5 }, 'prompt'],
    [{ prompt: null }, 'prompt'],
    [{ prompt: 'p', mode: 'chatt' }, 'mode'],
    [{ prompt: 'p', mode: null }, 'mode'],
    [{ prompt: 'p', agent: '' }, 'agent'],
    [{ prompt: 'p', metadata: 'x' }, 'metadata'],
    [{ prompt: 'p', metadata: [] }, 'metadata'],
    [{ prompt: 'p', metadata: { dao_id: 7 } }, 'metadata.dao_id'],
    [{ prompt: 'p', user_id: '' }, 'user_id'],
    [{ prompt: 'p', session_id: 'x'.repeat(257) }, 'session_id'],
  ])('refuses %j at %s', (body, path) => {
    expect(RouteBodySchema.safeParse(body).error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it.each([undefined, null, 'text', 5, []])('refuses %j, no object', (body) => {
    expect(RouteBodySchema.safeParse(body).success).toBe(false);
  });

  it('leaves out U+0000 and mends half surrogate pairs, in texts, ids and names', () => {
    const submission = parse({
      prompt: 'a\0b\ud800c',
      agent: 'x\0',
      metadata: { user_id: 'tg:\u00001', 'key\0\udc00': ['deep\0', { more: '\ud83d' }] },
    });
    expect(submission).toMatchObject({
      prompt: 'ab\ufffdc',
      agent: 'x',
      userId: 'tg:1',
      metadata: { user_id: 'tg:1', 'key\ufffd': ['deep', { more: '\ufffd' }] },
    });
  });

  it('leaves whole surrogate pairs and every other text as it is', () => {
    expect(parse({ prompt: '😀 привіт \u0001', metadata: { note: '😀' } })).toMatchObject({
      prompt: '😀 привіт \u0001',
      metadata: { note: '😀' },
    });
  });

  it('refuses an id of which nothing is left', () => {
    expect(problems({ prompt: 'p', user_id: '\0' })).toHaveLength(1);
    expect(problems({ prompt: 'p', metadata: { dao_id: '\0\0' } })).toHaveLength(1);
  });

  it.each([102, 3_000, 100_000])('refuses metadata of %d levels and does not crash', (levels) => {
    expect(problems({ prompt: 'p', metadata: nested(levels) })).toEqual(['metadata: nested too deeply']);
  });

  it('keeps metadata of 100 levels', () => {
    expect(parse({ prompt: 'p', metadata: nested(100) }).metadata).toEqual(nested(100));
  });

  it('never hands on what the database cannot keep', () => {
    const anyText = fc.string({ unit: 'binary' });
    const texts = fc.oneof(anyText, fc.constantFrom('\0', '\ud800', 'a\udfffb'));
    const body = fc.record({
      prompt: texts,
      agent: texts,
      metadata: fc.dictionary(texts, fc.oneof(texts, fc.array(texts), fc.dictionary(texts, texts))),
    });
    fc.assert(
      fc.property(body, (sent) => {
        const parsed = RouteBodySchema.safeParse(sent);
        if (!parsed.success) return;
        const held: string[] = [];
        JSON.stringify(parsed.data, (key, value: unknown) => {
          held.push(key);
          if (typeof value === 'string') held.push(value);
          return value;
        });
        expect(held.filter((text) => !isStorable(text))).toEqual([]);
      }),
    );
  });

  it('gives every JSON value either a submission or problems', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const parsed = RouteBodySchema.safeParse(body);
        if (parsed.success) expect(parsed.data.prompt.trim()).not.toBe('');
        else expect(parsed.error.issues.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('RouteBodySchema of a tool', () => {
  const asked = (metadata: object, more: object = {}): object => ({ mode: 'devtools', metadata, ...more });

  it('takes the parameters out of the metadata, and keeps the name of the tool there', () => {
    const metadata = { dao_id: 'd', user_id: 'tg:1', tool: 'fs_read', params: { path: 'a.txt' }, note: 'x' };
    const submission = parse(asked(metadata));
    expect(submission).toMatchObject({ prompt: '', mode: 'devtools', daoId: 'd', userId: 'tg:1' });
    expect(submission.tool).toEqual({ tool: 'fs_read', params: { path: 'a.txt' } });
    expect(submission.metadata).toEqual({ dao_id: 'd', user_id: 'tg:1', tool: 'fs_read', note: 'x' });
  });

  it('needs no prompt, and no parameters where a tool needs none', () => {
    expect(parse(asked({ tool: 'fs_list' }, { prompt: ' ' })).tool).toEqual({ tool: 'fs_list', params: {} });
    expect(parse({ mode: 'devtools', payload: { tool: 'git_log' } }).tool).toEqual({ tool: 'git_log', params: {} });
  });

  it.each([{}, { tool: 'fs_format' }, { tool: 'constructor' }, { tool: 7 }])(
    'refuses %j, naming the tools',
    (metadata) => {
      expect(problems(asked(metadata))).toEqual([expect.stringMatching(/^metadata\.tool: expected one of fs_read, /)]);
    },
  );

  it('says of parameters where they stand', () => {
    expect(problems(asked({ tool: 'fs_read', params: { path: 7 } }))).toEqual([
      expect.stringMatching(/^metadata\.params\.path: /),
    ]);
    expect(problems(asked({ tool: 'fs_read', params: 'a.txt' }))).toEqual([
      expect.stringMatching(/^metadata\.params: /),
    ]);
    const expected_hashes = { 'a.txt': 'short' };
    expect(problems(asked({ tool: 'fs_patch', params: { patch: 'x', expected_hashes } }))).toEqual([
      expect.stringMatching(/^metadata\.params\.expected_hashes\.a\.txt: /),
    ]);
  });

  it('takes parameters that are larger than metadata may be', () => {
    const content = 'x'.repeat(200_000);
    expect(parse(asked({ tool: 'fs_write', params: { path: 'a', content } })).tool?.params).toEqual({
      path: 'a',
      content,
    });
    expect(problems(asked({ tool: 'fs_list', note: content }))).toEqual(['metadata: holds more than 65536 bytes']);
  });

  it('leaves the metadata of other modes alone', () => {
    const metadata = { tool: 'fs_read', params: { path: 'a.txt' } };
    const submission = parse({ prompt: 'p', metadata });
    expect(submission.metadata).toEqual(metadata);
    expect(submission).not.toHaveProperty('tool');
  });
});
