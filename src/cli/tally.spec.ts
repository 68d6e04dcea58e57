import { describe, expect, it } from '@jest/globals';
import { tallyChart } from './tally.js';

const OPEN = { total: 4, participated: 3, voters: 3, ballots: 2, yes: 2, no: 1, abstain: 0 };
const [FULL, DOT] = ['█', '·'];

describe(tallyChart.name, () => {
  it('should have a bar for whoever took part, and for each choice', () => {
    expect(tallyChart({ ...OPEN, quorum_met: true, threshold_met: true }).split('\n')).toEqual([
      `took part  ${FULL.repeat(23)}${DOT.repeat(7)}  3 of 4  75.0 %`,
      `yes        ${FULL.repeat(15)}${DOT.repeat(15)}  2       50.0 %`,
      `no         ${FULL.repeat(8)}${DOT.repeat(22)}  1       25.0 %`,
      `abstain    ${DOT.repeat(30)}  0       0.0 %`,
      '2 ballots; enough take part; enough are for it',
      '',
    ]);
  });

  it('should show that there is something, however little', () => {
    const chart = tallyChart({ ...OPEN, total: 1e6, yes: 0.000001, quorum_met: false, threshold_met: false });
    expect(chart).toContain(`yes        ${FULL}${DOT.repeat(29)}  0.000001        0.0 %`);
    expect(chart).toContain('too few take part; not enough are for it');
  });

  it('should not tell what sealed ballots say, nor fail where nobody has a weight', () => {
    const sealed = { total: 0, participated: 0, voters: 0, ballots: 1, quorum_met: false };
    expect(tallyChart(sealed).split('\n')).toEqual([
      `took part  ${DOT.repeat(30)}  0 of 0  0.0 %`,
      '1 ballot; too few take part; sealed: what they say is told with the close',
      '',
    ]);
  });
});
