import { describe, expect, it } from '@jest/globals';
import { commandMenus } from '../../domain/dialog/menus.js';
import { registration } from './registration.js';

describe(registration, () => {
  it('should leave to those who rule a server to say of which DAO it is, and everything else to everybody', () => {
    const needed = registration(commandMenus('dc')).map(({ name, default_member_permissions: needs }) => [name, needs]);
    expect(Object.fromEntries(needed)).toMatchObject({ link: String(1 << 5), ask: null, vote: null });
    expect(needed.filter(([, needs]) => needs !== null)).toHaveLength(1);
  });
});
