import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aCaller } from '../../test/factories/access.js';
import { resolveActor, resolveDao } from './acting.js';

const bound = aCaller({ daoId: 'greenfood-dao', principal: 'tg:12345', gateway: false });
const gateway = aCaller({ id: 'k2', daoId: 'greenfood-dao', principal: 'api:k2' });
const admin = aCaller({ id: 'admin', principal: 'api:admin' });

const refusal = (code: string): unknown => expect.objectContaining({ name: 'AppError', code });

describe('resolveActor', () => {
  it.each([bound, gateway, admin])('lets the principal of key $id act when nobody is named', (key) => {
    expect(resolveActor(key, undefined)).toEqual({ id: key.principal, own: true });
  });

  it.each([bound, gateway, admin])('takes the own principal of key $id, named, for its own', (key) => {
    expect(resolveActor(key, key.principal)).toEqual({ id: key.principal, own: true });
  });

  it('lets a gateway key name a user, who does not act with the rights of the key', () => {
    expect(resolveActor(gateway, 'tg:222')).toEqual({ id: 'tg:222', own: false });
    expect(resolveActor(admin, 'tg:1')).toEqual({ id: 'tg:1', own: false });
  });

  it('refuses any other actor to a key that is bound to a principal', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (user) => {
        fc.pre(user !== bound.principal);
        expect(() => resolveActor(bound, user)).toThrow(refusal('ACTING_NOT_ALLOWED'));
      }),
    );
  });

  it('lets no key name the principal of another key, the administrator least of all', () => {
    expect(() => resolveActor(gateway, 'api:admin')).toThrow(refusal('ACTING_NOT_ALLOWED'));
    expect(() => resolveActor(admin, 'api:k2')).toThrow(refusal('ACTING_NOT_ALLOWED'));
  });

  it('says that an actor is the own one only if it is the principal of the key', () => {
    fc.assert(
      fc.property(fc.option(fc.constantFrom('tg:1', 'dc:2', 'api:k2', 'dify:x'), { nil: undefined }), (user) => {
        const actor = resolveActor(gateway, user);
        expect(actor.own).toBe(actor.id === gateway.principal);
      }),
    );
  });
});

describe('resolveDao', () => {
  it('gives a key of one DAO that DAO, named or not', () => {
    expect(resolveDao(bound, undefined, 'other-dao')).toBe('greenfood-dao');
    expect(resolveDao(bound, 'greenfood-dao', 'other-dao')).toBe('greenfood-dao');
  });

  it('refuses every other DAO to a key of one with the same words', () => {
    const messages = ['other-dao', 'no-such-dao', ''].map((name) => {
      try {
        return resolveDao(bound, name, undefined);
      } catch (error) {
        expect(error).toEqual(refusal('DAO_FORBIDDEN'));
        return (error as Error).message;
      }
    });
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).not.toContain('other-dao');
  });

  it('gives a key of all DAOs the named one before the default', () => {
    expect(resolveDao(admin, 'other-dao', 'greenfood-dao')).toBe('other-dao');
    expect(resolveDao(admin, undefined, 'greenfood-dao')).toBe('greenfood-dao');
  });

  it('asks for a DAO where there is neither a named one nor a default', () => {
    expect(() => resolveDao(admin, undefined, undefined)).toThrow(refusal('DAO_REQUIRED'));
  });
});
