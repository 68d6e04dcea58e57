import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TOOLS, type ToolName } from '../contracts/devtools.js';
import { TOOL_PARAMS, toolBody, toolOutline, toolRequest } from './devtools.js';

const HASH = 'a'.repeat(64);

/** Something that each tool takes. */
const GOOD: Readonly<Record<ToolName, object>> = {
  fs_read: { path: 'a.txt', from_line: 1, lines: 10 },
  fs_write: { path: 'a.txt', content: '', encoding: 'utf8', expected_hash: HASH },
  fs_list: { path: 'src', depth: 20, glob: '*.ts', limit: 5_000, cursor: 'c' },
  fs_search: { pattern: 'x', regex: true, case_sensitive: false, path: 'src', glob: '*.ts', context: 10, limit: 2_000 },
  fs_diff: { path: 'a.txt', content: '', context: 0 },
  fs_patch: { patch: '--- a', expected_hashes: { 'a.txt': HASH } },
  run_tests: { path: 'src', framework: 'jest', filter: 'adds', timeout_s: 600 },
  git_status: { path: 'src' },
  git_diff: { path: 'src', staged: true, from: 'HEAD~1', to: 'feature/x', context: 100 },
  git_log: { path: 'src', from: 'v1.0', limit: 200 },
  notebook_execute: { path: 'a.ipynb', timeout_s: 1 },
};

/** Where something is wrong, and what. */
function problems(tool: ToolName, params: unknown): string[] {
  const request = toolRequest(tool, params);
  return Array.isArray(request) ? request.map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
}

describe('toolRequest', () => {
  it.each(TOOLS)('hands on what %s takes, as it came', (tool) => {
    expect(toolRequest(tool, GOOD[tool])).toEqual({ tool, params: GOOD[tool] });
  });

  it.each(TOOLS)('refuses what %s does not know', (tool) => {
    expect(problems(tool, { ...GOOD[tool], nonsense: 1 })).toEqual([expect.stringContaining('nonsense')]);
  });

  it.each<[ToolName, object, string]>([
    ['fs_read', {}, 'path'],
    ['fs_read', { path: '' }, 'path'],
    ['fs_read', { path: 'x'.repeat(4_097) }, 'path'],
    ['fs_read', { path: 'a', from_line: 0 }, 'from_line'],
    ['fs_read', { path: 'a', lines: 1.5 }, 'lines'],
    ['fs_write', { path: 'a' }, 'content'],
    ['fs_write', { path: 'a', content: 'x', expected_hash: HASH.toUpperCase() }, 'expected_hash'],
    ['fs_write', { path: 'a', content: '???', encoding: 'base64' }, 'content'],
    ['fs_write', { path: 'a', content: 'half \ud800' }, 'content'],
    ['fs_write', { path: 'a', content: 'nul \0' }, 'content'],
    ['fs_list', { depth: 21 }, 'depth'],
    ['fs_search', { pattern: '' }, 'pattern'],
    ['fs_search', { pattern: 'x', context: 11 }, 'context'],
    ['fs_diff', { path: 'a' }, 'other_path'],
    ['fs_diff', { path: 'a', other_path: 'b', content: 'c' }, 'other_path'],
    ['fs_patch', { patch: '' }, 'patch'],
    ['fs_patch', { patch: 'x', expected_hashes: { a: 'short' } }, 'expected_hashes.a'],
    ['run_tests', { framework: 'make' }, 'framework'],
    ['run_tests', { timeout_s: 601 }, 'timeout_s'],
    ['git_diff', { from: '--output=/tmp/x' }, 'from'],
    ['git_diff', { to: 'a b' }, 'to'],
    ['git_log', { limit: 201 }, 'limit'],
    ['notebook_execute', {}, 'path'],
    ['notebook_execute', { path: 'a', notebook: {} }, 'path'],
  ])('refuses of %s %j at %s', (tool, params, path) => {
    expect(problems(tool, params).map((problem) => problem.split(':')[0])).toEqual([path]);
  });

  it.each([undefined, null, 'text', 5, []])('refuses %j, no object', (params) => {
    expect(problems('fs_list', params)).toHaveLength(1);
  });

  it('takes null for a file that must not be there, and any bytes as base64', () => {
    expect(problems('fs_write', { path: 'a', content: '', expected_hash: null })).toEqual([]);
    const bytes = fc.uint8Array().map((array) => Buffer.from(array).toString('base64'));
    fc.assert(
      fc.property(bytes, (content) => {
        expect(problems('fs_write', { path: 'a', content, encoding: 'base64' })).toEqual([]);
      }),
    );
  });

  it('leaves nothing in paths and patterns that the database cannot keep', () => {
    expect(toolRequest('fs_read', { path: 'a\0b\ud800' })).toEqual({ tool: 'fs_read', params: { path: 'ab\ufffd' } });
    expect(problems('fs_read', { path: '\0' })).toHaveLength(1);
  });

  it('gives every JSON value either a request or problems', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TOOLS), fc.jsonValue(), (tool, params) => {
        const request = toolRequest(tool, params);
        if (Array.isArray(request)) expect(request.length).toBeGreaterThan(0);
        else expect(request.tool).toBe(tool);
      }),
    );
  });
});

describe('toolBody', () => {
  it('tells who and where from what is for the tool', () => {
    expect(toolBody('fs_read').parse({ dao_id: 'd', user_id: 'tg:1', path: 'a.txt' })).toEqual({
      ...{ prompt: '', mode: 'devtools', agent: undefined, sessionId: undefined, source: undefined },
      ...{ daoId: 'd', userId: 'tg:1', metadata: { tool: 'fs_read' } },
      tool: { tool: 'fs_read', params: { path: 'a.txt' } },
    });
  });

  it('says what is wrong by the names of the parameters alone', () => {
    const { error } = toolBody('fs_read').safeParse({ dao_id: 'd', path: 7 });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['path']);
    expect(toolBody('fs_list').safeParse({ dao_id: '' }).success).toBe(false);
  });
});

describe('toolOutline', () => {
  it.each(TOOLS)('names of %s what its route takes, beside who acts where', (tool) => {
    const names = (schema: object): string[] => Object.keys((schema as { shape: object }).shape);
    expect(names(toolOutline(tool))).toEqual([...names(TOOL_PARAMS[tool]), 'dao_id', 'user_id']);
  });
});
