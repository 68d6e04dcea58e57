import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findTokenSeal, TokenSeal } from './token-seal.js';

describe(TokenSeal, () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dagi-seal-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });
  const without = () => findTokenSeal({ DISCORD_BOT_TOKEN: undefined, home });

  it('opens what it sealed, for what it was sealed for alone', () => {
    const sealed = new TokenSeal('a').seal('token', 'dc:1');
    expect(new TokenSeal('a').open(sealed, 'dc:1')).toBe('token');
    expect(new TokenSeal('b').open(sealed, 'dc:1')).toBeUndefined();
    expect(new TokenSeal('a').open(sealed, 'dc:2')).toBeUndefined();
    expect(new TokenSeal('a').open(`${sealed.slice(0, -2)}AA`, 'dc:1')).toBeUndefined();
    expect(new TokenSeal('a').open('', 'dc:1')).toBeUndefined();
    expect(new TokenSeal('a').seal('token', 'dc:1')).not.toBe(sealed);
  });

  it('is the same wherever the bot’s token is', () => {
    const sealed = findTokenSeal({ DISCORD_BOT_TOKEN: 'bot', home }).seal('token', 'dc:1');
    expect(findTokenSeal({ DISCORD_BOT_TOKEN: 'bot', home: '/nowhere' }).open(sealed, 'dc:1')).toBe('token');
    expect(readdirSync(home)).toEqual([]);
  });

  it('is kept in a file of this user alone where there is no bot', () => {
    const sealed = without().seal('token', 'dc:1');
    expect(without().open(sealed, 'dc:1')).toBe('token');
    const [file = ''] = readdirSync(home);
    expect(statSync(join(home, file)).mode & 0o777).toBe(0o600);
    chmodSync(join(home, file), 0o644);
    expect(without).toThrow(`${file} is not a file of this user alone`);
  });
});
