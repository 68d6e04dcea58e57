import { describe, expect, it } from '@jest/globals';
import type { Report } from './whatif-answer.js';
import { printReport } from './whatif-report.js';

const aReport = (changes: Partial<Report> = {}): Report => ({
  hash: 'abc',
  requests: 1_240,
  unchanged: 1_100,
  changed: 140,
  newly_allowed: 2,
  newly_denied: 0,
  undecidable: 0,
  took_ms: 412,
  groups: [
    {
      from: 'ollama → openai',
      to: 'openai',
      rule: { from: 'chat', to: 'reviews' },
      requests: 138,
      examples: ['id-1', 'id-2'],
      expected: { from: { p50_ms: 2_100, cost_usd: null }, to: { p50_ms: 812, cost_usd: 0.00213 } },
    },
    {
      from: 'refused RBAC_PERMISSION_DENIED',
      to: 'ollama → openai',
      rule: { from: null, to: 'chat' },
      requests: 2,
      examples: ['id-3'],
      expected: { from: null, to: null },
    },
  ],
  ...changes,
});

describe(printReport, () => {
  it('proposes to try examples only where they can be tried', () => {
    const text = printReport(aReport(), { canTry: false });
    expect(text).toContain('Examples, newest first:\n  1  id-1 id-2');
    expect(text).not.toContain('npx');
  });

  it('prints totals, a row for each way, and examples', () => {
    expect(printReport(aReport()).split('\n')).toEqual([
      '1,240 recorded requests, decided again in 412 ms',
      '  unchanged       1,100  88.7 %',
      '  changed           140  11.3 %',
      '    newly allowed     2',
      '    newly denied      0',
      '  not decidable       0',
      '',
      '   from                            to               rule            requests  share      median          cost of one',
      '1  ollama → openai                 openai           chat → reviews  138       ██ 11.1 %  2.1 s → 812 ms  – → $0.002130',
      '2  refused RBAC_PERMISSION_DENIED  ollama → openai  – → chat        2         █ 0.2 %    –               –',
      '',
      'Examples, newest first (npx dagi whatif --run N tries some of them):',
      '  1  id-1 id-2',
      '  2  id-3',
      '',
    ]);
  });

  it('counts one request as one, and dashes what has no price', () => {
    const [group] = aReport().groups;
    const free = { p50_ms: 5, cost_usd: null };
    const text = printReport(
      aReport({ requests: 1, groups: [{ ...group!, requests: 1, expected: { from: free, to: free } }] }),
    );
    expect(text).toMatch(/^1 recorded request, decided again/);
    expect(text).toMatch(/5 ms +–\n/);
  });

  it('says what could not be decided, and why', () => {
    expect(printReport(aReport({ undecidable: 5 }))).toContain('5  their prompts were erased');
  });

  it('is short where nothing would change, or nothing is there', () => {
    expect(printReport(aReport({ groups: [], changed: 0, unchanged: 1_240 }))).not.toContain('Examples');
    expect(printReport(aReport({ requests: 0, groups: [] }))).toBe(
      'No recorded request was there to be decided again.\n',
    );
  });

  it('has no columns for figures where none are recorded', () => {
    const groups = aReport().groups.slice(1);
    expect(printReport(aReport({ groups }))).not.toMatch(/median|cost/);
  });

  it('lets no server steer the terminal', () => {
    const [group] = aReport().groups;
    const text = printReport(aReport({ groups: [{ ...group!, from: 'a\u001b[2Jb', examples: ['\u001b]0;x'] }] }));
    expect(text).not.toContain('\u001b');
  });
});
