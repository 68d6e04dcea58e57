import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENTITLEMENTS, type AccessFacts } from '../contracts/access.js';
import { resolveRights } from './access.js';

const facts = (roles: AccessFacts['roles'], platformAdmin = false): AccessFacts => ({
  dao: { id: 'greenfood-dao', name: 'GreenFood DAO' },
  roles,
  platformAdmin,
});

const roleLists = fc.array(
  fc.record({
    name: fc.constantFrom('admin', 'member', 'contributor', 'guest', 'treasurer'),
    entitlements: fc.array(fc.oneof(fc.constantFrom(...ENTITLEMENTS), fc.string())),
  }),
  { maxLength: 6 },
);

describe('resolveRights', () => {
  it('joins the entitlements of all roles, each once and in the order of the catalogue', () => {
    const rights = resolveRights(
      facts([
        { name: 'member', entitlements: ['proposal.vote', 'chat.write', 'chat.read'] },
        { name: 'contributor', entitlements: ['agent.devtools', 'chat.read'] },
      ]),
    );
    expect(rights).toEqual({
      roles: ['member', 'contributor'],
      entitlements: ['chat.read', 'chat.write', 'agent.devtools', 'proposal.vote'],
    });
  });

  it('makes somebody without a role a guest who may nothing by that alone', () => {
    expect(resolveRights(facts([]))).toEqual({ roles: ['guest'], entitlements: [] });
  });

  it('gives the platform administrator everything, and the role admin once', () => {
    expect(resolveRights(facts([], true))).toEqual({ roles: ['admin'], entitlements: [...ENTITLEMENTS] });
    const named = resolveRights(
      facts(
        [
          { name: 'member', entitlements: [] },
          { name: 'admin', entitlements: [] },
        ],
        true,
      ),
    );
    expect(named.roles).toEqual(['admin', 'member']);
  });

  it('does not call a platform administrator a guest', () => {
    expect(resolveRights(facts([{ name: 'guest', entitlements: [] }], true)).roles).toEqual(['admin']);
  });

  it('never gives the platform through a role, whatever a role lists', () => {
    fc.assert(
      fc.property(roleLists, (roles) => {
        expect(resolveRights(facts(roles)).entitlements).not.toContain('platform.admin');
      }),
    );
  });

  it('gives exactly the known entitlements that some role lists', () => {
    fc.assert(
      fc.property(roleLists, (roles) => {
        const listed = new Set(roles.flatMap((role) => role.entitlements));
        const expected = ENTITLEMENTS.filter((name) => name !== 'platform.admin' && listed.has(name));
        expect(resolveRights(facts(roles)).entitlements).toEqual(expected);
      }),
    );
  });

  it('never takes a right away when a role is added', () => {
    fc.assert(
      fc.property(roleLists, roleLists, (some, more) => {
        const before = resolveRights(facts(some)).entitlements;
        expect(resolveRights(facts([...some, ...more])).entitlements).toEqual(expect.arrayContaining(before));
      }),
    );
  });

  it('leaves the facts as they were', () => {
    fc.assert(
      fc.property(roleLists, fc.boolean(), (roles, platformAdmin) => {
        const given = facts(roles, platformAdmin);
        const copy = structuredClone(given);
        resolveRights(given);
        expect(given).toEqual(copy);
      }),
    );
  });
});
