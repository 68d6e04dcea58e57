import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anAccess } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { Bearer, BearerRow, KeysRepository, NewKey } from '../adapters/store/keys.repository.js';
import type { AuditEvent } from '../contracts/audit.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService } from './access.service.js';
import { TokenCallersService, type DaoChoice, type TokenIssuer, type TokenSettings } from './token-callers.service.js';

const TOKEN = 'aaa.bbb.ccc';
const ISSUER = 'https://id.example';
const NAMES_NONE: DaoChoice = { unnamed: 'refuse' };

describe('TokenCallersService', () => {
  const verify = jest.fn<TokenIssuer['verify']>();
  const used = jest.fn<(id: string) => void>();
  const issuerOf = jest.fn<(issuer: string) => TokenIssuer>();
  let settings: TokenSettings | undefined;
  let rows: Map<string, BearerRow & Omit<NewKey, 'dao_id'>>;
  let recorded: [place: unknown, event: AuditEvent][];
  let callers: TokenCallersService;

  const slot = ({ issuer, subject, daoId }: Bearer): string => `${issuer} ${subject} ${daoId}`;
  const says = (subject: string, claims: Record<string, unknown> = {}): void => {
    verify.mockResolvedValue({ issuer: ISSUER, subject, scopes: ['chat.read'], claims });
  };
  const call = (choice = NAMES_NONE) => callers.callerOf(TOKEN, choice);
  const refusal = (why: RegExp): object => ({ code: 'UNAUTHENTICATED', message: expect.stringMatching(why) });

  beforeEach(() => {
    settings = { issuer: ISSUER, audience: 'https://mcp.example/mcp', daoId: 'dao-a' };
    rows = new Map();
    recorded = [];
    used.mockReset();
    verify.mockReset();
    says('alice');
    issuerOf.mockReset().mockImplementation((issuer) => ({ issuer, verify }));
    const keys = strict<KeysRepository>('keys', {
      bearer: (bearer) => Promise.resolve(rows.get(slot(bearer))),
      addBearer: (_db, bearer, key) => {
        if (rows.has(slot(bearer))) return Promise.resolve(false);
        rows.set(slot(bearer), { ...key, revoked_at: null });
        return Promise.resolve(true);
      },
    });
    const access = strict<AccessService>('access', {
      factsOf: (daoId) =>
        daoId.startsWith('dao-') ? Promise.resolve(anAccess([])) : Promise.reject(new AppError('DAO_NOT_FOUND')),
    });
    const audit = strict<AuditRepository>('audit', {
      recorded: (place, change) =>
        change(undefined as never, (event) => {
          recorded.push([place, event]);
          return Promise.resolve('x_1');
        }),
    });
    callers = new TokenCallersService({ keys, access, audit, uses: { used }, settings: () => settings, issuerOf });
  });

  it('makes a row for whoever is first seen, on the record, and no other row after that', async () => {
    const caller = await call();
    expect(caller).toMatchObject({ daoId: 'dao-a', principal: 'mcp:alice', gateway: false, owner: 'platform' });
    expect(caller).toMatchObject({ scopes: ['chat.read'], token: { issuer: ISSUER } });
    expect(caller).not.toHaveProperty('revoked_at');
    expect(await call()).toEqual(caller);
    expect([...rows.values()]).toMatchObject([{ id: caller?.id, principal: 'mcp:alice' }]);
    expect(recorded).toMatchObject([
      [{ daoId: 'dao-a' }, { actor: 'mcp:alice', action: 'key.create', subject: caller?.id }],
    ]);
    expect(used.mock.calls).toEqual([[caller?.id], [caller?.id]]);
  });

  it('keeps no scope of a token, and a secret that nobody can guess', async () => {
    await call();
    const [row] = rows.values();
    expect(row).not.toHaveProperty('scopes');
    expect(row?.hash).toMatch(/^[0-9a-f]{64}$/);
    rows.clear();
    await call();
    expect([...rows.values()][0]?.hash).not.toBe(row?.hash);
  });

  it('lets nobody in again who was shut out', async () => {
    await call();
    for (const row of rows.values()) row.revoked_at = new Date();
    await expect(call()).rejects.toMatchObject(refusal(/shut out/));
    expect(rows.size).toBe(1);
  });

  it('takes no tokens where none are configured, and nothing for a token that looks like none', async () => {
    for (const other of ['dagi_secret', 'a.b', 'a.b.c.d', 'a b.c.d', '']) {
      expect(await callers.callerOf(other, NAMES_NONE)).toBeUndefined();
    }
    settings = undefined;
    expect(await call()).toBeUndefined();
    expect(verify).not.toHaveBeenCalled();
  });

  it('goes by the settings as they are, and knows an issuer once', async () => {
    await call();
    await call();
    expect(issuerOf.mock.calls).toEqual([[ISSUER]]);
    settings = { issuer: 'https://new.example', audience: 'other' };
    await call();
    expect(issuerOf.mock.calls).toEqual([[ISSUER], ['https://new.example']]);
    expect(verify).toHaveBeenLastCalledWith(TOKEN, 'other');
  });

  it.each(['', 'a'.repeat(253), 'a\u0000b', 'e\u0301', 'a\u200bb', 'a ', 'a\u202eb'])(
    'refuses a subject that can be nobody’s id (%j)',
    async (subject) => {
      says(subject);
      await expect(call()).rejects.toMatchObject(refusal(/its subject/));
      expect(rows.size).toBe(0);
    },
  );

  it('takes a subject as long as an id may be', async () => {
    says('a'.repeat(252));
    await expect(call()).resolves.toMatchObject({ principal: `mcp:${'a'.repeat(252)}` });
  });

  it('has bearers act in any DAO where nothing is said about it', async () => {
    settings = { issuer: ISSUER, audience: 'x' };
    await expect(call()).resolves.toMatchObject({ daoId: null });
  });

  describe('with a claim that names the DAO', () => {
    beforeEach(() => {
      settings = { issuer: ISSUER, audience: 'x', daoClaim: 'daos' };
    });

    it.each([['dao-b'], [['dao-b']], [['dao-b', 'dao-b', 7, null]]])('goes by it (%j)', async (daos) => {
      says('alice', { daos });
      await expect(call()).resolves.toMatchObject({ daoId: 'dao-b' });
    });

    it.each([[undefined], [null], [''], [[]], [{ any: true }], [[['dao-b']]], ['*'], ['nowhere']])(
      'opens nothing with one that names none here (%j)',
      async (daos) => {
        says('alice', { daos });
        await expect(call()).rejects.toMatchObject(refusal(/DAO/));
        expect(rows.size).toBe(0);
      },
    );

    it('has a call choose among several, and opens nothing where it does not', async () => {
      says('alice', { daos: ['dao-a', 'dao-b'] });
      const inB = await call({ ...NAMES_NONE, named: 'dao-b' });
      expect(inB).toMatchObject({ daoId: 'dao-b', scopes: ['chat.read'] });
      const inA = await call({ ...NAMES_NONE, named: 'dao-a' });
      expect(inA).toMatchObject({ daoId: 'dao-a' });
      expect(inA?.id).not.toBe(inB?.id);
      await expect(call()).rejects.toMatchObject(refusal(/several DAOs/));
      await expect(call({ ...NAMES_NONE, named: 'dao-c' })).rejects.toMatchObject(refusal(/several DAOs/));
      await expect(call({ unnamed: 'first' })).resolves.toMatchObject({ daoId: 'dao-a' });
    });

    it('lets whoever may be one of several do nothing until it is known', async () => {
      says('alice', { daos: ['dao-a', 'dao-b'] });
      const caller = await call({ unnamed: 'undecided' });
      expect(caller).toMatchObject({ id: '', scopes: [], gateway: false, token: { undecided: true } });
      expect(rows.size).toBe(0);
    });

    it('takes no other DAO than the configured one', async () => {
      settings = { issuer: ISSUER, audience: 'x', daoClaim: 'daos', daoId: 'dao-a' };
      says('alice', { daos: ['dao-a', 'dao-b'] });
      await expect(call({ ...NAMES_NONE, named: 'dao-b' })).resolves.toMatchObject({ daoId: 'dao-a' });
      says('alice', { daos: 'dao-b' });
      await expect(call()).rejects.toMatchObject(refusal(/names no DAO/));
    });
  });
});
