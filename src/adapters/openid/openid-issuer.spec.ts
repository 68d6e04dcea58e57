import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeOpenId, type TokenWishes } from '../../../test/fakes/openid/fake-openid.js';
import { OpenIdIssuer } from './openid-issuer.js';

const AUDIENCE = 'https://mcp.dao.example/mcp';
/** Nothing is waited for. */
const TIMES = { timeout: 5_000, cooldown: 0, rest: 0 };

describe('OpenIdIssuer', () => {
  let fake: FakeOpenId;
  let issuer: OpenIdIssuer;

  beforeEach(async () => {
    fake = await FakeOpenId.start();
    issuer = new OpenIdIssuer(fake.issuer, TIMES);
  });
  afterEach(() => fake.close());

  const verify = (token: string) => issuer.verify(token, AUDIENCE);
  const verified = async (wishes: TokenWishes) => verify(await fake.token(AUDIENCE, wishes));
  const refusal = (why: RegExp): object => ({ code: 'UNAUTHENTICATED', message: expect.stringMatching(why) });

  it('tells what a token says that is good', async () => {
    const token = await verified({ sub: 'bob', scope: 'openid chat.read', claims: { dao: 'greenfood-dao' } });
    expect(token).toMatchObject({ issuer: fake.issuer, subject: 'bob', scopes: ['chat.read'] });
    expect(token.claims).toMatchObject({ dao: 'greenfood-dao' });
  });

  it.each(['RS256', 'PS512', 'ES384', 'EdDSA'])('knows signatures of %s', async (alg) => {
    const other = await FakeOpenId.start(alg);
    const token = await other.token(AUDIENCE);
    await expect(new OpenIdIssuer(other.issuer).verify(token, AUDIENCE)).resolves.toMatchObject({ subject: 'alice' });
    await other.close();
  });

  it('takes a token that is for others as well, one of no special type, and clocks that differ a little', async () => {
    await expect(verified({ aud: ['https://other.example', AUDIENCE] })).resolves.toBeDefined();
    await expect(verified({ typ: 'JWT' })).resolves.toBeDefined();
    await expect(verified({ typ: null })).resolves.toBeDefined();
    await expect(verified({ expiresIn: -3, notBefore: 3 })).resolves.toBeDefined();
    // Said to be an access token, it is one, whatever else stands in it.
    await expect(verified({ typ: 'application/at+jwt', claims: { nonce: 'n' } })).resolves.toBeDefined();
  });

  it.each<[string, TokenWishes, RegExp]>([
    ['has expired', { expiresIn: -60 }, /it has expired/],
    ['never expires', { claims: { exp: undefined } }, /its claim exp does not fit/],
    ['is not valid yet', { notBefore: 60 }, /not valid yet/],
    ['is for another', { aud: 'https://other.example/mcp' }, /made for somebody else/],
    ['is for a longer address', { aud: `${AUDIENCE}/` }, /made for somebody else/],
    ['is for nobody', { claims: { aud: undefined } }, /made for somebody else/],
    ['names no subject', { claims: { sub: undefined } }, /its claim sub does not fit/],
    ['names a subject that is no text', { claims: { sub: 7 } }, /subject/],
    ['is for a client that signed somebody in', { typ: 'JWT', claims: { nonce: 'n' } }, /no access token/],
    ['is an ID token by its issuer’s word', { typ: 'JWT', claims: { token_use: 'id' } }, /no access token/],
    ['is for refreshing', { typ: 'JWT', claims: { typ: 'Refresh' } }, /no access token/],
    ['is of a type that calls nothing', { typ: 'logout+jwt' }, /no access token/],
    ['was signed with a key that nobody published', { kid: 'unheard-of' }, /no key of the issuer/],
  ])('refuses a token that %s', async (_what, wishes, why) => {
    await expect(verified(wishes)).rejects.toMatchObject(refusal(why));
  });

  it('refuses ID tokens, unsigned ones, those signed with what everybody knows, and changed ones', async () => {
    await expect(fake.idToken(AUDIENCE).then(verify)).rejects.toMatchObject(refusal(/no access token/));
    await expect(verify(fake.unsigned(AUDIENCE))).rejects.toMatchObject(refusal(/not signed/));
    await expect(fake.signedWithPublicKey(AUDIENCE).then(verify)).rejects.toMatchObject(refusal(/not signed/));
    const [head, , signature] = (await fake.token(AUDIENCE)).split('.');
    const [, claims] = (await fake.token(AUDIENCE, { sub: 'mallory' })).split('.');
    await expect(verify([head, claims, signature].join('.'))).rejects.toMatchObject(refusal(/no key of the issuer/));
    await expect(verify('a.b.c')).rejects.toMatchObject(refusal(/can be read/));
  });

  it('asks nobody about a token that says another issuer, however alike', async () => {
    for (const iss of [`${fake.issuer}/`, fake.issuer.toUpperCase(), ` ${fake.issuer}`, 'https://other.example']) {
      await expect(verified({ iss })).rejects.toMatchObject(refusal(/another issuer/));
    }
    expect(fake.asked).toEqual({ discovery: 0, keys: 0 });
  });

  it('asks once for many tokens, and anew for a key that it does not know', async () => {
    await Promise.all(Array.from({ length: 20 }, () => verified({})));
    expect(fake.asked).toEqual({ discovery: 1, keys: 1 });
    const former = await fake.token(AUDIENCE);
    await fake.rotate({ keep: true });
    await expect(verified({})).resolves.toBeDefined();
    expect(fake.asked).toEqual({ discovery: 1, keys: 2 });
    await expect(verify(former)).resolves.toBeDefined();
    await fake.rotate();
    await verified({});
    await expect(verify(former)).rejects.toMatchObject(refusal(/no key of the issuer/));
  });

  it('does not ask anew for each token whose key nobody knows', async () => {
    const patient = new OpenIdIssuer(fake.issuer, { ...TIMES, cooldown: 60_000 });
    await patient.verify(await fake.token(AUDIENCE), AUDIENCE);
    for (const kid of ['made-up', 'another']) {
      const token = await fake.token(AUDIENCE, { kid });
      await expect(patient.verify(token, AUDIENCE)).rejects.toMatchObject(refusal(/no key of the issuer/));
    }
    expect(fake.asked.keys).toBe(1);
  });

  it('says that the provider is away, not that the token is bad, and leaves it alone for a while', async () => {
    fake.faults = { away: 'cut' };
    const patient = new OpenIdIssuer(fake.issuer, { ...TIMES, rest: 60_000 });
    const token = await fake.token(AUDIENCE);
    const unavailable = { code: 'ISSUER_UNAVAILABLE', retryAfterSeconds: 2 };
    await expect(patient.verify(token, AUDIENCE)).rejects.toMatchObject(unavailable);
    await expect(patient.verify(token, AUDIENCE)).rejects.toMatchObject(unavailable);
    expect(fake.asked.discovery).toBe(1);
    await expect(verify(token)).rejects.toMatchObject(unavailable);
    fake.faults = {};
    await expect(verify(token)).resolves.toBeDefined();
  });

  it.each(['cut', 'refusing'] as const)('goes by what it knows while the provider is away (%s)', async (away) => {
    await verified({});
    fake.faults = { away };
    await expect(verified({})).resolves.toBeDefined();
    await expect(verified({ kid: 'unheard-of' })).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
    await expect(verified({})).resolves.toBeDefined();
    fake.faults = {};
    await expect(verified({})).resolves.toBeDefined();
  });

  it('does not wait for a provider that is slow for longer than it may take', async () => {
    fake.faults = { slow: 30_000 };
    const impatient = new OpenIdIssuer(fake.issuer, { ...TIMES, timeout: 50 });
    const token = await fake.token(AUDIENCE);
    await expect(impatient.verify(token, AUDIENCE)).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
  });

  it('takes nobody’s word who says to be another', async () => {
    fake.faults = { issuer: 'https://other.example' };
    await expect(verified({})).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
    expect(fake.asked.keys).toBe(0);
  });
});
