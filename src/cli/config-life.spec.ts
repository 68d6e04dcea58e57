import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { applyConfig, configStatus, reloadConfig } from './config-life.js';
import { CliError } from './failure.js';

const REPORT = {
  hash: 'table',
  requests: 10,
  unchanged: 8,
  changed: 2,
  newly_allowed: 2,
  newly_denied: 0,
  undecidable: 0,
  groups: [],
  took_ms: 1,
};
const ACTIVE = {
  ok: true,
  active: { hash: 'aaaa', table_hash: 'cccc', since: '2026-11-25T00:00:00.000Z', file: '/etc/prod.yml' },
  waiting: null,
  refused: null,
  unchecked: false,
  reloads: { applied: 1, refused: 2, held: 3, unchanged: 4 },
  warnings: ['a fallback is missing'],
};
const WAITING = {
  ...ACTIVE,
  waiting: { hash: 'bbbb', since: '2026-11-25T01:00:00.000Z', reasons: ['2 would be allowed'], report: REPORT },
  warnings: ['profile bbbb waits to be confirmed: 2 would be allowed'],
};

describe('dagi config', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;

  beforeEach(() => {
    json.mockReset();
  });

  it('status tells what runs, was refused and warns', async () => {
    json.mockResolvedValue({
      ...ACTIVE,
      refused: { at: 'then', reason: '/etc/prod.yml:1:1: bad\n/etc/prod.yml:2:2: worse' },
    });
    expect(await configStatus(client)).toBe(
      [
        'active   aaaa since 2026-11-25T00:00:00.000Z',
        'table    cccc',
        'file     /etc/prod.yml',
        'reloads  1 applied, 3 held, 2 refused, 4 unchanged',
        'warning  a fallback is missing',
        'refused  at then:',
        '  /etc/prod.yml:1:1: bad',
        '  /etc/prod.yml:2:2: worse',
        '',
      ].join('\n'),
    );
    expect(json.mock.calls).toEqual([['GET', '/config', {}]]);
  });

  it('status tells what waits once, with its report and how to confirm it', async () => {
    json.mockResolvedValue(WAITING);
    const text = await configStatus(client);
    expect(text).toContain('waiting  bbbb since 2026-11-25T01:00:00.000Z, because:\n  - 2 would be allowed\n');
    expect(text).toContain('10 recorded requests');
    expect(text).toContain('npx dagi config apply --confirm bbbb');
    expect(text).not.toContain('warning');
  });

  it('apply without a hash shows what waits and changes nothing', async () => {
    json.mockResolvedValue(WAITING);
    expect(await applyConfig(client, undefined)).toContain('newly allowed');
    json.mockResolvedValue(ACTIVE);
    expect(await applyConfig(client, undefined)).toBe('nothing waits to be confirmed\n');
    expect(json.mock.calls.every(([method]) => method === 'GET')).toBe(true);
  });

  it('apply shows what waits, confirms it and tells what runs then', async () => {
    json
      .mockResolvedValueOnce(WAITING)
      .mockResolvedValueOnce({ ...ACTIVE, active: { ...ACTIVE.active, hash: 'bbbb' } });
    const text = await applyConfig(client, 'bbbb');
    expect(text.indexOf('newly allowed')).toBeLessThan(text.indexOf('active   bbbb'));
    expect(json.mock.calls[1]).toEqual(['POST', '/config/apply', { body: { confirm: 'bbbb' } }]);
  });

  it('apply leaves it to the instance to say that nothing of that hash waits', async () => {
    const refused = new CliError('CONFIG_NOT_WAITING', 'no');
    json.mockResolvedValueOnce(ACTIVE).mockRejectedValueOnce(refused);
    await expect(applyConfig(client, 'cccc')).rejects.toBe(refused);
  });

  it('reload tells what came of it', async () => {
    const write = jest.fn<(text: string) => void>();
    json.mockResolvedValue(ACTIVE);
    await reloadConfig(client, write);
    expect(write.mock.calls).toEqual([[expect.stringContaining('active   aaaa')]]);
    expect(json.mock.calls).toEqual([['POST', '/config/reload', {}]]);
  });

  it.each([
    ['CONFIG_REFUSED', { refused: { at: 'then', reason: 'bad' } }, /aaaa, runs on\. Correct it/],
    ['CONFIG_HELD', WAITING, /aaaa, runs on\. Confirm it with: npx dagi config apply --confirm bbbb/],
    ['CONFIG_UNCHECKED', { unchecked: true }, /the database does not answer; what ran before, aaaa/],
  ])('reload fails with %s, after telling the state', async (code, changes, message) => {
    const write = jest.fn<(text: string) => void>();
    json.mockResolvedValue({ ...ACTIVE, ...changes });
    await expect(reloadConfig(client, write)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(write).toHaveBeenCalledTimes(1);
  });

  it('does not guess what another version says', async () => {
    json.mockResolvedValue({ ok: true });
    await expect(configStatus(client)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });
});
