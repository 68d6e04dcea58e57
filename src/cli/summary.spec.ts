import { describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import type { ConfigState } from '../contracts/config-state.js';
import type { WhatIfReport } from '../contracts/whatif.js';
import type { BotLine } from './bot-lines.js';
import { pendingLines, summarise, type SummaryInput } from './summary.js';

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

const boxed = (config: ConfigState, change: Partial<SummaryInput> = {}): string => {
  const admin = { key: 'k', created: false, file: "/srv/o'dagi/admin.key" };
  const env = { home: '/srv/dagi' } as Env;
  const sample = { dao: 'greenfood-dao', user: 'tg:12345' };
  return summarise({
    env,
    url: 'http://h:1',
    mcpUrl: 'http://h:2/mcp',
    temporalUi: null,
    admin,
    seconds: 2,
    config,
    bots: [],
    sample,
    ...change,
  });
};

describe(summarise, () => {
  it('tells where everything is, and nothing of a profile that runs as its file says', () => {
    const text = boxed(RUNNING);
    expect(text).toContain('API           http://h:1 ');
    expect(text).toContain('MCP           http://h:2/mcp ');
    expect(text).not.toMatch(/profile|warning|Telegram|Discord/);
    expect(text).toContain(`-H "Authorization: Bearer $(cat '/srv/o'\\''dagi/admin.key')" -H`);
    expect(text).toContain('"metadata":{"dao_id":"greenfood-dao","user_id":"tg:12345"}');
  });

  it('says how a key stands that is kept nowhere, and asks in the DAO that there is', () => {
    const admin = { key: 'k', created: false, file: undefined };
    const text = boxed(RUNNING, { admin, sample: { dao: 'orchard', user: undefined } });
    expect(text).toContain('Admin key     as DAGI_ADMIN_KEY gives it');
    expect(text).toContain('-H "Authorization: Bearer $DAGI_ADMIN_KEY" -H');
    expect(text).toContain('"metadata":{"dao_id":"orchard"}');
    expect(text).not.toContain('admin.key');
  });

  it('says how to create a DAO where there is none', () => {
    const admin = { key: 'k', created: false, file: undefined };
    const text = boxed(RUNNING, { admin, sample: { dao: undefined, user: undefined } });
    expect(text).toContain('There is no DAO yet. Create one');
    expect(text).toContain(
      '\nDAGI_URL=http://h:1 DAGI_API_KEY="$DAGI_ADMIN_KEY" npx dagi dao create my-dao --name "My DAO" --admin tg:YOUR_ID',
    );
    expect(text).not.toContain('curl');
  });

  it('says how bots stand, in lines that fit the frame', () => {
    const bots: BotLine[] = [
      { platform: 'Telegram', isUp: true, text: '@dagi_bot, polling' },
      { platform: 'Discord', isUp: false, text: `not well ${'for a reason '.repeat(12)}\n     warning: of more` },
    ];
    const text = boxed(RUNNING, { bots });
    expect(text).toContain('│ Telegram      @dagi_bot, polling ');
    expect(text).toContain('│ ! Discord     not well for a reason');
    expect(text).toContain('│               warning: of more ');
    expect(text.split('\n').find((line) => line.startsWith('┌'))!.length).toBeLessThanOrEqual(118);
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
