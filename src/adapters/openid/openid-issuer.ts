import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyResult,
  type RemoteJWKSet,
} from 'jose';
import { z } from 'zod';
import type { VerifiedToken } from '../../contracts/access.js';
import { AppError } from '../../errors/app-error.js';
import { isAccessToken, scopesOf } from './token-claims.js';

/** Signatures that are taken: all of them by a key that the issuer alone has. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** By how much clocks may differ, in seconds. */
const SKEW_S = 10;
/** What an issuer says about itself is asked for again after so long, in milliseconds. */
const KNOWN_MS = 3_600_000;

export interface IssuerTimes {
  /** How long an answer of the issuer may take, in milliseconds. */
  timeout: number;
  /** A key that is not known makes us ask for new ones no sooner than this after the last time. */
  cooldown: number;
  /** After it did not answer it is left alone for so long. */
  rest: number;
}

const USUAL_TIMES: IssuerTimes = { timeout: 5_000, cooldown: 5_000, rest: 2_000 };

const DiscoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/** What is wrong with the token, rather than with the issuer. */
const REFUSALS = [
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

const refused = (why: string, cause?: unknown): AppError =>
  new AppError('UNAUTHENTICATED', `This access token opens nothing: ${why}.`, {}, { cause });

const unavailable = (cause: unknown): AppError => new AppError('ISSUER_UNAVAILABLE', undefined, {}, { cause });

/** An OpenID provider, as far as its access tokens (JWT) are checked: by the keys that it publishes. */
export class OpenIdIssuer {
  private found: { address: string; keys: RemoteJWKSet; at: number } | undefined;
  private finding: Promise<RemoteJWKSet> | undefined;
  private failedAt = -Infinity;

  /** @param issuer its address, letter by letter as its tokens have it */
  constructor(
    readonly issuer: string,
    private readonly times: IssuerTimes = USUAL_TIMES,
  ) {}

  /**
   * What a token says, if it is the issuer's, made for us, and good now.
   * @throws AppError `UNAUTHENTICATED` with the reason; `ISSUER_UNAVAILABLE` where its keys cannot be had
   */
  async verify(token: string, audience: string): Promise<VerifiedToken> {
    this.requirePlausible(token);
    const keys = await this.keys();
    const { payload, protectedHeader } = await this.check(token, keys, audience);
    if (!isAccessToken(protectedHeader.typ, payload))
      throw refused('it is no access token, but tells who has signed in');
    if (typeof payload.sub !== 'string') throw refused('it names no subject');
    return { issuer: this.issuer, subject: payload.sub, scopes: scopesOf(payload), claims: payload };
  }

  /** What is not of this issuer, or not signed by a key of its own, makes us ask nobody. */
  private requirePlausible(token: string): void {
    let claims: JWTPayload;
    let algorithm: string | undefined;
    try {
      claims = decodeJwt(token);
      algorithm = decodeProtectedHeader(token).alg;
    } catch (error) {
      throw refused('it is no token that can be read', error);
    }
    if (claims.iss !== this.issuer) throw refused('another issuer gave it out');
    if (algorithm === undefined || !ALGORITHMS.includes(algorithm))
      throw refused('it is not signed as is asked for here');
  }

  private async check(token: string, keys: RemoteJWKSet, audience: string): Promise<JWTVerifyResult> {
    try {
      return await jwtVerify(token, keys, {
        ...{ audience, issuer: this.issuer, algorithms: ALGORITHMS, clockTolerance: SKEW_S },
        requiredClaims: ['exp', 'sub'],
      });
    } catch (error) {
      if (REFUSALS.some((kind) => error instanceof kind)) throw refused(reasonOf(error), error);
      // They may be elsewhere by now.
      if (this.found) this.found.at = -Infinity;
      throw unavailable(error);
    }
  }

  /** Its keys, which fetch themselves anew. Whoever cannot be asked is taken at their last word. */
  private async keys(): Promise<RemoteJWKSet> {
    const { found } = this;
    if (found && performance.now() - found.at < KNOWN_MS) return found.keys;
    this.finding ??= this.find().finally(() => {
      this.finding = undefined;
    });
    try {
      return await this.finding;
    } catch (error) {
      if (found) return found.keys;
      throw unavailable(error);
    }
  }

  private async find(): Promise<RemoteJWKSet> {
    const address = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const signal = AbortSignal.timeout(this.times.timeout);
    const response = await this.fetch(address, { headers: new Headers(), method: 'GET', redirect: 'manual', signal });
    if (response.status !== 200) throw new Error(`${address} answers ${response.status}`);
    const said = DiscoverySchema.parse(await response.json());
    if (said.issuer !== this.issuer) throw new Error(`${address} is of another issuer: ${said.issuer}`);
    const at = new URL(said.jwks_uri);
    if (this.issuer.startsWith('https:') && at.protocol !== 'https:')
      throw new Error(`${address} has its keys in the open`);
    const { timeout: timeoutDuration, cooldown: cooldownDuration } = this.times;
    const options = { timeoutDuration, cooldownDuration, [customFetch]: this.fetch };
    // Where they still are, those that are known stay known.
    const keys = this.found?.address === at.href ? this.found.keys : createRemoteJWKSet(at, options);
    this.found = { address: at.href, keys, at: performance.now() };
    return keys;
  }

  /** Whoever does not answer is not asked again at once: calls must not wait, one after the other, for nothing. */
  private readonly fetch: FetchImplementation = async (url, options) => {
    if (performance.now() - this.failedAt < this.times.rest) throw new Error('it did not answer a moment ago');
    try {
      const response = await fetch(url, options);
      if (response.status >= 500) this.failedAt = performance.now();
      return response;
    } catch (error) {
      this.failedAt = performance.now();
      throw error;
    }
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'it was made for somebody else; see the resource in our metadata';
    return error.claim === 'nbf' ? 'it is not valid yet' : `its claim ${error.claim} does not fit`;
  }
  return 'its signature is by no key of the issuer';
}
