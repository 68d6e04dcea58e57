import type { Db } from './database.js';
import { guardStore } from './errors.js';

export interface AuditEntry {
  daoId: string | null;
  actor: string;
  action: string;
  subject: string;
  detail?: Readonly<Record<string, unknown>>;
}

/** The record of who did, or was refused, what. Append-only. */
export class AuditRepository {
  constructor(private readonly db: Db) {}

  async append({ daoId, actor, action, subject, detail = {} }: AuditEntry): Promise<void> {
    await guardStore(() =>
      this.db
        .insertInto('audit')
        .values({ dao_id: daoId, actor, action, subject, detail: JSON.stringify(detail) })
        .execute(),
    );
  }
}
