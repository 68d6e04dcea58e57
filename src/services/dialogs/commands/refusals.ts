import { isEntitlement, type Entitlement } from '../../../contracts/access.js';
import type { ReplyContent } from '../../../contracts/dialog.js';
import type { RolesRepository } from '../../../adapters/store/roles.repository.js';
import { limitWords } from '../../../domain/dialog/limited.js';
import { phrasesIn } from '../../../domain/dialog/phrases.js';
import { rightWords } from '../../../domain/known-answers.js';
import type { AppError } from '../../../errors/app-error.js';
import type { Turn } from '../turn.js';
import { paragraphs, said } from './asked.js';

/** Most roles that are looked at. */
const MOST_ROLES = 100;

/** Who is addressed, in which language, about which DAO. */
export type Addressed = Pick<Turn, 'daoId' | 'language'>;

/** Refusals as a person is told of them: what was lacking, and who has it. */
export class Refusals {
  constructor(private readonly roles: Pick<RolesRepository, 'page'>) {}

  /** @param requestId of the request that was refused, if it came so far */
  async told(to: Addressed, error: AppError, requestId?: string): Promise<ReplyContent> {
    const { code, message, detail, retryAfterSeconds: wait } = error;
    const { required_entitlement: lacked } = detail;
    const lacks = code === 'RBAC_PERMISSION_DENIED' && typeof lacked === 'string' ? lacked : undefined;
    const refused = { code, ...(lacks !== undefined && { lacks }), ...(requestId !== undefined && { requestId }) };
    if (lacks !== undefined && isEntitlement(lacks)) {
      return { ...paragraphs([await this.lacking(to, lacks)]), refused };
    }
    const phrases = phrasesIn(to.language);
    const limit = wait === undefined ? undefined : limitWords(code, wait, phrases);
    return { ...said(limit ?? phrases.failed(code, message)), refused };
  }

  /** What an entitlement is for, and which roles have it. */
  async lacking({ daoId, language }: Addressed, entitlement: Entitlement): Promise<string> {
    const { lacks, rolesWith, nobodyWith, askAdmin } = phrasesIn(language);
    const roles = await this.rolesWith(daoId, entitlement);
    const who = roles.length === 0 ? [nobodyWith] : [rolesWith(roles.join(', ')), askAdmin];
    return [lacks(rightWords(language, entitlement)), ...who].join(' ');
  }

  private async rolesWith(daoId: string, entitlement: Entitlement): Promise<string[]> {
    const roles = await this.roles.page(daoId, { after: '', limit: MOST_ROLES });
    return roles.filter(({ entitlements }) => entitlements.includes(entitlement)).map(({ name }) => name);
  }
}
