import type { Logger } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import {
  headText,
  type AuditEntry,
  type HeadKey,
  type HeadPublisher,
  type HeadSigner,
  type PublicKeyInfo,
  type SignedHead,
  type SigningReport,
} from '../contracts/audit.js';
import { SYSTEM_PRINCIPAL } from '../contracts/ids.js';
import type { AuditHeadsRepository, ChainState, ChainToSign } from '../adapters/store/audit-heads.repository.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { AccessService, Named } from './access.service.js';
import { chainFor } from './audit.service.js';
import { partOf } from './pages.js';

export interface AuditHeadsDeps {
  heads: AuditHeadsRepository;
  audit: AuditRepository;
  access: AccessService;
  /** Absent: nothing is signed. */
  key: HeadKey | undefined;
  publishers: readonly HeadPublisher[];
  log: Logger;
}

/** Heads of a chain, and how far it has come at this moment. */
export interface HeadsPage {
  heads: SignedHead[];
  next: string | null;
  /** Whether the chain still is the one that was signed before. If not, no head of it is signed any more. */
  holds: boolean;
  /** Signed for this answer; null where nothing is signed, or the chain does not hold. */
  now: SignedHead | null;
}

/** The key that signs at present, and former ones. */
export interface KeysInUse {
  key_id: string | null;
  keys: PublicKeyInfo[];
}

/** What is written down when a key signs for the first time: later, its heads can still be checked. */
const KEY_TAKEN = 'audit.key';
const CHAINS_AT_ONCE = 200;
const KEYS_AT_ONCE = 200;

const NOT_SIGNED =
  'heads of the record are not signed, so a rewritten record would not be found out: set DAGI_SIGNING_KEY (docs/audit.md)';

/** Signs the heads of chains day by day and makes them public, so that nobody can write a chain anew unnoticed. */
export class AuditHeadsService implements HeadSigner {
  private introduced: Promise<void> | undefined;

  constructor(private readonly deps: AuditHeadsDeps) {}

  /** What an operator should know, fit for everybody's eyes. */
  warnings(): string[] {
    return this.deps.key ? [] : [NOT_SIGNED];
  }

  /** Heads of a chain as they were signed, oldest first. @throws AppError those of `chainFor` */
  async list(
    key: CallerKey,
    { after, limit, ...named }: Named & { after?: string | undefined; limit: number },
  ): Promise<HeadsPage> {
    const { heads, access } = this.deps;
    const daoId = await chainFor(access, key, named);
    const { holds, ...state } = await heads.state(daoId);
    const { items, next } = partOf(await heads.page(daoId, after ?? '', limit + 1), limit, ({ day }) => day);
    if (!holds) this.tellBroken(state);
    return { heads: items, next, holds, now: (holds && this.sign(state)) || null };
  }

  /** Public keys for all heads that this installation signed. */
  async keys(): Promise<KeysInUse> {
    const { key } = this.deps;
    const known = key ? [{ key_id: key.key_id, public_key: key.public_key }] : [];
    for (let after = 0; ;) {
      const rows = await this.deps.audit.page(null, { after, limit: KEYS_AT_ONCE, action: KEY_TAKEN });
      for (const { entry } of rows) {
        const { subject, detail } = JSON.parse(entry) as AuditEntry;
        if (known.some(({ key_id }) => key_id === subject)) continue;
        if (typeof detail.public_key === 'string') known.push({ key_id: subject, public_key: detail.public_key });
      }
      if (rows.length < KEYS_AT_ONCE) return { key_id: key?.key_id ?? null, keys: known };
      after = rows.at(-1)?.seq ?? Infinity;
    }
  }

  /** As `signAll`, for a caller. @throws AppError `RBAC_PERMISSION_DENIED` without `platform.admin` */
  async signFor(key: CallerKey): Promise<SigningReport> {
    await this.deps.access.requirePlatform(key);
    return this.signAll();
  }

  /**
   * Signs the head of every chain that has none of today, and posts it; where one cannot be posted, the others still are.
   * @throws AppError `STORE_UNAVAILABLE`; Error at the end if some could not be posted
   */
  async signAll(after?: string, progress: (chain: string) => void = () => undefined): Promise<SigningReport> {
    const report: SigningReport = { day: today(), signed: 0, published: 0, broken: [] };
    const { key, heads } = this.deps;
    if (!key) return report;
    const failures: unknown[] = [];
    await this.introduce(key);
    for (let last = after; ;) {
      const chains = await heads.toSign(report.day, last, CHAINS_AT_ONCE);
      for (const chain of chains) {
        failures.push(...(await this.signOne(chain, report)));
        progress(chain.chain);
      }
      if (chains.length < CHAINS_AT_ONCE) break;
      last = chains.at(-1)?.chain;
    }
    if (failures.length === 0) return report;
    throw new Error(`${failures.length} signed heads could not be posted`, { cause: failures[0] });
  }

  /** @returns what went wrong when it was posted */
  private async signOne({ signed, holds, ...state }: ChainToSign, report: SigningReport): Promise<unknown[]> {
    if (!holds) {
      report.broken.push(state.chain);
      this.tellBroken(state);
      return [];
    }
    const head = signed ?? this.sign(state, report.day);
    if (!head) return [];
    const { kept, isNew } = signed ? { kept: signed, isNew: false } : await this.deps.heads.keep(head);
    if (isNew) report.signed += 1;
    const posted = await Promise.allSettled(this.deps.publishers.map((publisher) => publisher.publish(kept)));
    report.published += posted.filter((one) => one.status === 'fulfilled' && one.value).length;
    return posted.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  }

  private tellBroken({ chain }: ChainState): void {
    this.deps.log.error({ chain }, 'a chain of the record is not the one that was signed; see docs/audit.md');
  }

  private sign({ chain, seq, hash }: ChainState, day = today()): SignedHead | undefined {
    const { key } = this.deps;
    if (!key) return undefined;
    const head = { chain, day, seq, hash, at: new Date().toISOString(), key_id: key.key_id };
    return { ...head, signature: key.sign(headText(head)) };
  }

  /** Puts the key on the record, once for good. */
  private introduce(key: HeadKey): Promise<void> {
    this.introduced ??= this.putOnRecord(key).catch((error: unknown) => {
      this.introduced = undefined;
      throw error;
    });
    return this.introduced;
  }

  private putOnRecord({ key_id: subject, public_key }: HeadKey): Promise<void> {
    const { audit, heads } = this.deps;
    return audit.recorded(null, async (db, record) => {
      if (await heads.isOnRecord(db, KEY_TAKEN, subject)) return;
      await record({ actor: SYSTEM_PRINCIPAL, action: KEY_TAKEN, subject, detail: { public_key } });
    });
  }
}

const today = (): string => new Date().toISOString().slice(0, 10);
