import { describe, expect, it } from '@jest/globals';
import { MicrodaoQuerySchema } from './microdao.js';
import { PutRoleSchema, RoleNameSchema } from './roles.js';

describe('RoleNameSchema', () => {
  it.each(['a', 'keeper', 'x-1_2', 'a'.repeat(32)])('takes %j', (name) => {
    expect(RoleNameSchema.parse(name)).toBe(name);
  });

  it.each(['', 'Keeper', '1a', '-a', 'a b', 'a\n', 'a'.repeat(33), 'ä', 'constructor()'])('refuses %j', (name) => {
    expect(RoleNameSchema.safeParse(name).success).toBe(false);
  });
});

describe('PutRoleSchema', () => {
  it('takes what a role can give, and the hash of a refusal', () => {
    const body = { entitlements: ['chat.read', 'config.update'], confirm: '0123456789abcdef' };
    expect(PutRoleSchema.parse(body)).toEqual(body);
    expect(PutRoleSchema.parse({ entitlements: [] })).toEqual({ entitlements: [] });
  });

  it.each([
    {},
    { entitlements: ['platform.admin'] },
    { entitlements: ['chat.all'] },
    { entitlements: 'chat.read' },
    { entitlements: Array.from({ length: 15 }, () => 'chat.read') },
    { entitlements: [], confirm: true },
    { entitlements: [], version: '1' },
  ])('refuses %j', (body) => {
    expect(PutRoleSchema.safeParse(body).success).toBe(false);
  });
});

describe('MicrodaoQuerySchema', () => {
  it('takes what each kind of query knows', () => {
    expect(MicrodaoQuerySchema.parse({ query_type: 'roles' })).toEqual({ query_type: 'roles', limit: 50, after: '' });
    const members = { query_type: 'members', dao_id: 'd', user_id: 'tg:1', role: 'member', limit: 2, after: 'p_1' };
    expect(MicrodaoQuerySchema.parse(members)).toEqual(members);
    expect(MicrodaoQuerySchema.parse({ query_type: 'proposals', stage: 'open' })).toMatchObject({ stage: 'open' });
  });

  it.each([{}, { query_type: 'keys' }, { query_type: 'roles', role: 'member' }, { query_type: 'roles', limit: 201 }])(
    'refuses %j',
    (body) => {
      expect(MicrodaoQuerySchema.safeParse(body).success).toBe(false);
    },
  );
});
