import { LRUCache } from 'lru-cache';
import { v7 as uuid } from 'uuid';
import { PLATFORM_OWNER, type CallerKey, type VerifiedToken } from '../contracts/access.js';
import { TOKEN_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { Bearer, BearerRow, KeysRepository } from '../adapters/store/keys.repository.js';
import { AppError } from '../errors/app-error.js';
import { id, personId } from '../schemas/common.js';
import type { AccessService } from './access.service.js';
import { hashKey, newSecret, type KeysService } from './keys.service.js';

/** Whose tokens are taken, and for which DAO. */
export interface TokenSettings {
  issuer: string;
  audience: string;
  /** The DAO in which bearers act. */
  daoId?: string | undefined;
  /** The claim that names the DAO of a token, or several. */
  daoClaim?: string | undefined;
}

/** Who gives tokens out, and can tell them from others. */
export interface TokenIssuer {
  readonly issuer: string;
  /** @throws AppError `UNAUTHENTICATED`, `ISSUER_UNAVAILABLE` */
  verify(token: string, audience: string): Promise<VerifiedToken>;
}

export interface TokenCallersParts {
  keys: KeysRepository;
  access: AccessService;
  audit: AuditRepository;
  uses: Pick<KeysService, 'used'>;
  /** Undefined: no tokens are taken. Asked for with each call. */
  settings: () => TokenSettings | undefined;
  issuerOf: (issuer: string) => TokenIssuer;
}

/** Which DAO a call means, where a token names several. */
export interface DaoChoice {
  named?: string | undefined;
  /** What is done where none is named: the call is not read yet, it does nothing in a DAO, or it cannot be done. */
  unnamed: 'undecided' | 'first' | 'refuse';
}

/** Most DAOs that one token may name. */
const MOST_DAOS = 100;

/** Issuers whose keys are known at once: the configured one, and the one before. */
const ISSUERS = 2;

/** Three parts, each in base64url: what a JWT looks like. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

const refused = (why: string): AppError => new AppError('UNAUTHENTICATED', `This access token opens nothing: ${why}.`);

/** Bearers of access tokens as callers: each has a row among the keys, and the token bounds the one call that it came with. */
export class TokenCallersService {
  private readonly issuers = new LRUCache<string, TokenIssuer>({ max: ISSUERS });

  constructor(private readonly parts: TokenCallersParts) {}

  /**
   * Who calls with a token. Undefined: it is none, or none are taken.
   * @throws AppError `UNAUTHENTICATED` with the reason; `ISSUER_UNAVAILABLE`; `STORE_UNAVAILABLE`
   */
  async callerOf(credential: string, choice: DaoChoice): Promise<CallerKey | undefined> {
    const settings = this.parts.settings();
    if (!settings || !JWT.test(credential)) return undefined;
    const token = await this.issuer(settings.issuer).verify(credential, settings.audience);
    const principal = principalOf(token);
    const daos = daosOf(token, settings);
    const daoId = daos.length === 1 ? daos[0] : chosen(daos, choice);
    if (daoId === undefined) return undecided(token, principal, daos);
    const { issuer, subject, scopes } = token;
    const row = await this.rowOf({ issuer, subject, daoId }, principal);
    if (row.revoked_at !== null) throw refused('whoever it is for was shut out here');
    this.parts.uses.used(row.id);
    const { id: keyId, gateway, owner } = row;
    return { ...{ id: keyId, daoId, principal, gateway, owner, scopes }, token: { issuer } };
  }

  private issuer(issuer: string): TokenIssuer {
    const known = this.issuers.get(issuer) ?? this.parts.issuerOf(issuer);
    this.issuers.set(issuer, known);
    return known;
  }

  /** The row of a bearer, made when they are first seen. */
  private async rowOf(bearer: Bearer, principal: string): Promise<BearerRow> {
    const { keys } = this.parts;
    const known = await keys.bearer(bearer);
    if (known) return known;
    await this.requireDao(bearer, principal);
    await this.add(bearer, principal);
    const added = await keys.bearer(bearer);
    // The DAO has gone meanwhile, and the row with it.
    if (!added) throw refused('there is no such DAO here');
    return added;
  }

  private async add(bearer: Bearer, principal: string): Promise<void> {
    const { keys, audit } = this.parts;
    const key = { id: uuid(), principal, gateway: false, owner: PLATFORM_OWNER };
    await audit.recorded({ daoId: bearer.daoId, key }, async (db, record) => {
      // Nobody gets the secret: it is there since no row is without one.
      const row = { ...key, hash: hashKey(newSecret()), name: `access tokens of ${bearer.issuer}` };
      if (!(await keys.addBearer(db, bearer, row))) return;
      const detail = { gateway: false, owner: PLATFORM_OWNER, scopes: null, issuer: bearer.issuer };
      await record({ actor: principal, action: 'key.create', subject: key.id, detail });
    });
  }

  private async requireDao({ daoId }: Bearer, principal: string): Promise<void> {
    if (daoId === null) return;
    await this.parts.access.factsOf(daoId, principal).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'DAO_NOT_FOUND' ? refused('there is no such DAO here') : error;
    });
  }
}

/** As whom the bearer acts. What could be taken for another's name is no name. */
function principalOf({ subject }: VerifiedToken): string {
  const principal = `${TOKEN_PRINCIPAL_PREFIX}${subject}`;
  const parsed = personId.safeParse(principal);
  if (subject === '' || !parsed.success || parsed.data !== principal) throw refused('its subject can be no id here');
  return principal;
}

/** In which DAOs a token may be used; null: in any, where nothing was said about it. */
function daosOf({ claims }: VerifiedToken, { daoId, daoClaim }: TokenSettings): (string | null)[] {
  if (daoClaim === undefined) return [daoId ?? null];
  const named = [claims[daoClaim]].flat().slice(0, MOST_DAOS);
  const ids = new Set(named.flatMap((one) => id.safeParse(one).data ?? []));
  const daos = [...ids].filter((one) => daoId === undefined || one === daoId);
  if (daos.length === 0) throw refused(`its claim ${daoClaim} names no DAO that is meant here`);
  return daos;
}

/** @throws AppError `UNAUTHENTICATED` */
function chosen(daos: readonly (string | null)[], { named, unnamed }: DaoChoice): string | null | undefined {
  if (unnamed === 'undecided') return undefined;
  if (named === undefined && unnamed === 'first') return daos[0];
  if (named !== undefined && daos.includes(named)) return named;
  throw refused('it names several DAOs, so the call must name one of them');
}

/** Who may do nothing yet. */
const undecided = (
  { issuer }: VerifiedToken,
  principal: string,
  [daoId = null]: readonly (string | null)[],
): CallerKey => ({
  ...{ id: '', daoId, principal, gateway: false, owner: PLATFORM_OWNER, scopes: [] },
  token: { issuer, undecided: true },
});
