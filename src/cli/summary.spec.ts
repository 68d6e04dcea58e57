import { describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import type { ConfigState } from '../contracts/config-state.js';
import type { WhatIfReport } from '../contracts/whatif.js';
import { pendingLines, summarise } from './summary.js';

const RUNNING: ConfigState = {
  active: { hash: 'aaaa', table_hash: 'cccc', since: 'then', file: '/srv/our.yml' },
  waiting: null,
  refused: null,
  unchecked: false,
  reloads: { applied: 0, refused: 0, held: 0, unchanged: 0 },
  warnings: [],
};
const WAITING: ConfigState = {
  ...RUNNING,
  waiting: { hash: 'bbbb', since: 'now', reasons: ['2 would be allowed'], report: {} as WhatIfReport },
  warnings: ['profile bbbb waits to be confirmed: 2 would be allowed'],
};

const boxed = (config: ConfigState): string => {
  const admin = { key: 'k', created: false };
  const env = { home: '/srv/dagi' } as Env;
  return summarise({ env, url: 'http://h:1', mcpUrl: 'http://h:2/mcp', temporalUi: null, admin, seconds: 2, config });
};

describe(summarise, () => {
  it('tells where everything is, and nothing of a profile that runs as its file says', () => {
    const text = boxed(RUNNING);
    expect(text).toContain('API           http://h:1 ');
    expect(text).toContain('MCP           http://h:2/mcp ');
    expect(text).not.toMatch(/profile|warning/);
  });

  it('says plainly that the file does not run, what does, and what to do', () => {
    const text = boxed(WAITING);
    expect(text).toContain('NOT the profile of /srv/our.yml: it has changed, and waits to be confirmed.');
    expect(text).toContain('What was active before runs on (aaaa)');
    expect(text).toContain('npx dagi config apply --confirm bbbb');
    expect(text).not.toContain('warning');
    expect(pendingLines(RUNNING)).toEqual([]);
  });

  it('has the warnings of the profile, in lines that fit the frame', () => {
    const text = boxed({ ...RUNNING, warnings: [`our.yml:1:1: ${'a word '.repeat(40)}`, '\u001b[2Jshort'] });
    expect(text).toContain('│ warning: our.yml:1:1: a word');
    expect(text).not.toContain('\u001b');
    const frame = text.split('\n').filter((line) => /^[│┌└]/.test(line));
    expect(new Set(frame.map((line) => line.length)).size).toBe(1);
    expect(frame[0]!.length).toBeLessThanOrEqual(104);
  });
});
