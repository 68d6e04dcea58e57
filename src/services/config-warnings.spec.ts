import { describe, expect, it } from '@jest/globals';
import { configWarnings, publicComplaint } from './config-warnings.js';

const FILE = '/home/me/my profiles/prod.yml';

describe('configWarnings', () => {
  it('tell what the profile warns of with places, and files by their names alone', () => {
    const said = 'routing_rules[0].fallback_provider: "x" is not defined and is skipped';
    const warnings = [`${FILE}:4:7: ${said}`, `/srv/dagi/config/profiles/base.yml:2:1: ${said}`];
    const situation = { refused: undefined, waiting: undefined, unchecked: false };
    expect(configWarnings({ active: { file: FILE, warnings }, ...situation })).toEqual([
      `prod.yml:4:7: ${said}`,
      `base.yml:2:1: ${said}`,
    ]);
  });
});

describe('publicComplaint', () => {
  it.each([
    [`${FILE}:4:7: \`version\`: expected text`, 'prod.yml:4:7: "…": expected text'],
    ['/home/me/my profiles/base.yml:1:1: bad', 'base.yml:1:1: bad'],
    ['/etc/other/base.yml:1:1: bad', 'base.yml:1:1: bad'],
    ['C:\\etc\\dagi\\base.yml:1:1: bad', 'base.yml:1:1: bad'],
    [`${FILE}:1:1: no provider "sk-12345", or 'two'`, 'prod.yml:1:1: no provider "…", or "…"'],
    [`${FILE}:1:1: first\n${FILE}:2:2: second`, 'prod.yml:1:1: first'],
    [`${FILE}:1:1: base_url: https://me:secret@host/v1 is no address`, 'prod.yml:1:1: base_url: … is no address'],
    [`${FILE}:1:1: base_url: http://host/v1 is no address`, 'prod.yml:1:1: base_url: … is no address'],
    ['', ''],
  ])('says of %j no more than %j', (reason, said) => {
    expect(publicComplaint(reason, FILE)).toBe(said);
  });

  it('is short, whatever the complaint is', () => {
    expect(publicComplaint('long '.repeat(10_000), FILE).length).toBeLessThanOrEqual(300);
  });
});
