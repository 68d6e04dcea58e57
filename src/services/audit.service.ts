import type { CallerKey } from '../contracts/access.js';
import type { AuditEntry, AuditRow } from '../contracts/audit.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { AccessService, Named } from './access.service.js';
import { partOf } from './pages.js';

/** Which rows somebody asks for. */
export interface AuditQuestion extends Named {
  /** Behind this row. */
  after?: number | undefined;
  limit: number;
  action?: string | undefined;
  actor?: string | undefined;
}

/** A row as it is shown: what was hashed as it is, and in parts, with the ids by which platforms know who is named. */
export interface ShownRow extends AuditRow, Pick<AuditEntry, 'at' | 'actor' | 'action' | 'subject' | 'detail'> {
  actor_ids: string[];
  subject_ids: string[];
}

/** Rows of a chain, and behind which one to ask for more; null: there are no more. */
export interface AuditPage {
  rows: ShownRow[];
  next: string | null;
}

/** The record, for those who may read it. */
export class AuditService {
  constructor(
    private readonly audit: AuditRepository,
    private readonly access: AccessService,
  ) {}

  /**
   * Rows of the chain of a DAO, or of the installation's, in their order.
   * @throws AppError those of `chainFor`
   */
  async page(key: CallerKey, { after = 0, limit, action, actor, ...named }: AuditQuestion): Promise<AuditPage> {
    const daoId = await chainFor(this.access, key, named);
    const found = await this.audit.page(daoId, { after, limit: limit + 1, action, actor });
    const { items, next } = partOf(found, limit, ({ seq }) => String(seq));
    return { rows: await this.shown(daoId, items), next };
  }

  private async shown(daoId: string | null, rows: readonly AuditRow[]): Promise<ShownRow[]> {
    const entries = rows.map(({ entry }) => JSON.parse(entry) as AuditEntry);
    const named = new Set(
      entries.flatMap(({ actor, subject }) => [actor, subject]).filter((id) => id.startsWith('p_')),
    );
    const ids = daoId === null ? new Map<string, string[]>() : await this.audit.userIdsOf(daoId, [...named]);
    return rows.map((row, place) => {
      const { at = '', actor = '', action = '', subject = '', detail = {} } = entries[place] ?? {};
      const [actorIds, subjectIds] = [ids.get(actor) ?? [], ids.get(subject) ?? []];
      return { ...row, at, actor, action, subject, detail, actor_ids: actorIds, subject_ids: subjectIds };
    });
  }
}

/**
 * Whose chain a call means: of the DAO that it names or whose key it is (`audit.read` there), or (null) of the
 * installation for a key of all DAOs that names none (`platform.admin`).
 * @throws AppError those of access
 */
export async function chainFor(access: AccessService, key: CallerKey, named: Named): Promise<string | null> {
  if (named.daoId === undefined && key.daoId === null) {
    await access.requirePlatform(key, named.userId);
    return null;
  }
  return (await access.require(key, named, 'audit.read')).daoId;
}
