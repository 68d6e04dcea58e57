import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose';
import { cut, LoopbackServer } from '../loopback-server.js';

/** What a token is to say and to be; what is left out is as a good access token (RFC 9068) has it. */
export interface TokenWishes {
  sub?: string;
  aud?: string | string[];
  iss?: string;
  scope?: string;
  /** Seconds from now; negative: it has expired. */
  expiresIn?: number;
  /** Seconds from now. */
  notBefore?: number;
  /** Type in the header; null: none is said. */
  typ?: string | null;
  /** Name of the key in the header; null: none is said. */
  kid?: string | null;
  /** Further claims; undefined takes one away. */
  claims?: Record<string, unknown>;
}

/** What goes wrong at the provider. */
interface Faults {
  /** Connections end without an answer, or with 503. */
  away?: 'cut' | 'refusing';
  /** Milliseconds before each answer. */
  slow?: number;
  /** Whom its discovery document is of, in place of itself. */
  issuer?: string;
}

interface SigningKey {
  kid: string;
  alg: string;
  secret: CryptoKey;
  open: CryptoKey;
  jwk: JWK;
}

const REALM = '/realms/dao';
const DISCOVERY = `${REALM}/.well-known/openid-configuration`;
const KEYS = `${REALM}/protocol/certs`;
const HOUR_S = 3_600;

/** An OpenID provider on the wire: discovery and keys; it answers nothing else, and only what is asked as it should be. */
export class FakeOpenId {
  faults: Faults = {};
  /** How often each address was asked for. */
  readonly asked = { discovery: 0, keys: 0 };
  private published: SigningKey[] = [];
  private readonly server = new LoopbackServer((request, response) => this.handle(request, response));

  private constructor(private readonly alg: string) {}

  static async start(alg = 'ES256', port = 0): Promise<FakeOpenId> {
    const fake = new FakeOpenId(alg);
    await fake.rotate();
    await fake.server.listen(port);
    return fake;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  get issuer(): string {
    return `${this.server.url}${REALM}`;
  }

  /** Signs with a new key from now on; the former one stays published for a while, or is gone at once. */
  async rotate({ keep = false } = {}): Promise<void> {
    const { privateKey: secret, publicKey: open } = await generateKeyPair(this.alg, { extractable: true });
    const kid = randomUUID();
    const jwk = { ...(await exportJWK(open)), kid, alg: this.alg, use: 'sig' };
    this.published = [{ kid, alg: this.alg, secret, open, jwk }, ...(keep ? this.published : [])];
  }

  /** An access token. */
  async token(audience: string, wishes: TokenWishes = {}): Promise<string> {
    const { kid, typ = 'at+jwt' } = wishes;
    const { alg, secret, kid: own } = this.current;
    const header = { alg, ...(typ !== null && { typ }), ...(kid !== null && { kid: kid ?? own }) };
    return new SignJWT(this.claims(audience, wishes)).setProtectedHeader(header).sign(secret);
  }

  /** What a client gets beside it: whom it has signed in. */
  idToken(audience: string, wishes: TokenWishes = {}): Promise<string> {
    const claims = {
      nonce: randomUUID(),
      at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng',
      email: 'somebody@example.org',
      ...wishes.claims,
    };
    return this.token(audience, { typ: 'JWT', ...wishes, claims });
  }

  /** A token that nobody signed. */
  unsigned(audience: string, wishes: TokenWishes = {}): string {
    return new UnsecuredJWT(this.claims(audience, wishes)).encode();
  }

  /** A token signed with what everybody knows, as if that were a shared secret. */
  async signedWithPublicKey(audience: string, wishes: TokenWishes = {}): Promise<string> {
    const secret = new TextEncoder().encode(await exportSPKI(this.current.open));
    const header = { alg: 'HS256', typ: 'at+jwt', kid: this.current.kid };
    return new SignJWT(this.claims(audience, wishes)).setProtectedHeader(header).sign(secret);
  }

  private get current(): SigningKey {
    const [key] = this.published;
    if (!key) throw new Error('the provider has no key');
    return key;
  }

  private claims(audience: string, wishes: TokenWishes): Record<string, unknown> {
    const { sub = 'alice', aud = audience, iss = this.issuer, scope, expiresIn = HOUR_S, notBefore, claims } = wishes;
    const now = Math.floor(Date.now() / 1_000);
    return {
      ...{ iss, sub, aud, iat: now, exp: now + expiresIn, jti: randomUUID(), client_id: 'a-client' },
      ...(notBefore !== undefined && { nbf: now + notBefore }),
      ...(scope !== undefined && { scope }),
      ...claims,
    };
  }

  private async handle({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (url === DISCOVERY) this.asked.discovery += 1;
    if (url === KEYS) this.asked.keys += 1;
    const { away, slow } = this.faults;
    if (slow !== undefined) await sleep(slow, undefined, { ref: false });
    if (away === 'cut') {
      cut(response);
      return;
    }
    const [status, body] = away === 'refusing' ? [503, { error: 'temporarily_unavailable' }] : this.answer(method, url);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  private answer(method: string | undefined, url: string | undefined): [status: number, body: object] {
    if (method !== 'GET') return [405, { error: 'method_not_allowed' }];
    if (url === DISCOVERY) return [200, this.discovery()];
    if (url === KEYS) return [200, { keys: this.published.map(({ jwk }) => jwk) }];
    return [404, { error: 'not_found' }];
  }

  private discovery(): object {
    const { issuer } = this;
    return {
      issuer: this.faults.issuer ?? issuer,
      authorization_endpoint: `${issuer}/protocol/auth`,
      token_endpoint: `${issuer}/protocol/token`,
      jwks_uri: `${this.server.url}${KEYS}`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.alg],
    };
  }
}
