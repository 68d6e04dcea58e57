import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import type { DagiClient } from './client.js';
import { parseSince, usage } from './usage.js';

const figures = (requests: number, prompt: number, completion: number, cost: number | null): object => ({
  requests,
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  cost_usd: cost,
});

describe(usage.name, () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;
  const report = { ok: true, dao_id: 'greenfood-dao', from: '2026-11-01', to: '2026-11-30', by: 'day' };

  it('prints a row for each and a bar that is as long as its tokens', async () => {
    json.mockResolvedValue({
      ...report,
      totals: figures(1_110, 12_500, 3_000, 1.25),
      rows: [
        { day: '2026-11-01', ...figures(1_100, 9_000, 1_000, 1) },
        { day: '2026-11-02', ...figures(9, 3_500, 1_500, 0.25) },
        { day: '2026-11-03', ...figures(1, 1, 0, null) },
        { day: '2026-11-04', ...figures(0, 0, 0, 0) },
      ],
    });
    const [title, head, ...lines] = (await usage(client, { since: '2026-11-01', dao: 'greenfood-dao' })).split('\n');
    expect(json).toHaveBeenLastCalledWith('GET', '/usage?from=2026-11-01&dao_id=greenfood-dao');
    expect(title).toBe('greenfood-dao, 2026-11-01 to 2026-11-30');
    expect(head).toBe('day         requests  prompt  completion  cost USD  tokens');
    expect(lines).toEqual([
      `2026-11-01     1,100   9,000       1,000    1.0000  ${'█'.repeat(30)}`,
      `2026-11-02         9   3,500       1,500    0.2500  ${'█'.repeat(15)}`,
      `2026-11-03         1       1           0         –  █`,
      `2026-11-04         0       0           0    0.0000`,
      `total          1,110  12,500       3,000    1.2500`,
      '',
    ]);
  });

  it('says so when nothing was used', async () => {
    json.mockResolvedValue({ ...report, dao_id: null, by: 'dao', totals: figures(0, 0, 0, 0), rows: [] });
    expect(await usage(client, { since: '2026-11-01', by: 'dao' })).toBe(
      'all DAOs, 2026-11-01 to 2026-11-30\nnothing was used\n',
    );
    expect(json).toHaveBeenLastCalledWith('GET', '/usage?from=2026-11-01&by=dao');
  });

  it('draws no bar where nothing but requests was counted', async () => {
    json.mockResolvedValue({
      ...report,
      by: 'provider',
      totals: figures(3, 0, 0, 0),
      rows: [{ provider: 'cache', ...figures(3, 0, 0, 0) }],
    });
    expect(await usage(client, { since: '2026-11-01' })).not.toContain('█');
  });

  it('does not take another server’s answer for one', async () => {
    json.mockResolvedValue({ ok: true });
    await expect(usage(client, { since: '2026-11-01' })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });
});

describe(parseSince.name, () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-03-01T00:30:00Z') });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    ['1d', '2026-03-01'],
    ['2d', '2026-02-28'],
    ['30d', '2026-01-31'],
    ['2025-12-24', '2025-12-24'],
  ])('takes %s for %s on', (text, expected) => {
    expect(parseSince(text)).toBe(expected);
  });

  it.each(['0d', '', 'd', '-3d', '30', '2026-02-30', 'yesterday', '99999d'])('refuses %j', (text) => {
    expect(() => parseSince(text)).toThrow(InvalidArgumentError);
  });
});
