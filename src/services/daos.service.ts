import type { CallerKey } from '../contracts/access.js';
import { MOST_FACTS, type Dao, type DaoLimits, type DaoProfile, type DaoSettings } from '../contracts/dao.js';
import { recordIn, type AuditRepository } from '../adapters/store/audit.repository.js';
import {
  createDao,
  findDao,
  updateDao,
  type DaoChanges,
  type DaosRepository,
} from '../adapters/store/daos.repository.js';
import { memberByUser } from '../adapters/store/members.repository.js';
import { mergedByName, type ByName } from '../domain/member-rules.js';
import { requireVersion, type Expected } from '../domain/versions.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService } from './access.service.js';
import { requireEntitlements, type Change, type ChangesService } from './changes.service.js';
import { pageOf, type Page, type PageRequest } from './pages.js';

const FIRST_ROLE = 'admin';

/** A DAO that is to be. */
export interface DaoRequest {
  id: string;
  name: string;
  facts: Record<string, string>;
  profile: ByName<DaoProfile>;
  /** Who becomes its first admin, by the id of a platform. */
  admin?: string | undefined;
}

/** What is to become of a DAO: facts, profile, settings and limits by name, null takes one away. */
export interface DaoPatch {
  name?: string | undefined;
  facts?: ByName<Record<string, string>> | undefined;
  profile?: ByName<DaoProfile> | undefined;
  settings?: ByName<DaoSettings> | undefined;
  limits?: ByName<DaoLimits> | undefined;
}

/** What DAOs are made of. */
export interface DaosParts {
  daos: DaosRepository;
  access: AccessService;
  audit: AuditRepository;
  changes: ChangesService;
  /** Roles that every DAO starts with. */
  roles: Readonly<Record<string, readonly string[]>>;
}

/** DAOs: what they are, and how they decide. */
export class DaosService {
  constructor(private readonly parts: DaosParts) {}

  /**
   * All DAOs for whoever rules over the installation; for a key of one DAO that one alone.
   * @throws AppError those of access
   */
  async list(key: CallerKey, page: PageRequest): Promise<Page<Dao>> {
    if (key.daoId !== null) {
      const dao = await this.get(key, key.daoId);
      return { items: page.after < dao.id ? [dao] : [], next: null };
    }
    await this.parts.access.requirePlatform(key);
    return pageOf(page, (after, limit) => this.parts.daos.page(after, limit));
  }

  /** A DAO, for whoever may read in it. @throws AppError those of access */
  async get(key: CallerKey, daoId: string): Promise<Dao> {
    await this.parts.access.require(key, { daoId }, 'chat.read');
    return there(await this.parts.daos.find(daoId));
  }

  /**
   * Creates a DAO with the default roles; on the record of the installation, its first admin on its own as well.
   * @throws AppError `DAO_EXISTS` and those of access
   */
  async create(key: CallerKey, { admin, ...dao }: DaoRequest): Promise<Dao> {
    const { actor } = await this.parts.access.requirePlatform(key);
    const members = admin === undefined ? {} : { [admin]: [FIRST_ROLE] };
    const made = { ...dao, profile: mergedByName<DaoProfile>({}, dao.profile), members };
    return this.parts.audit.recorded({ daoId: null, key }, async (db, record) => {
      if (!(await createDao(db, made, this.parts.roles))) throw new AppError('DAO_EXISTS');
      const first = admin === undefined ? undefined : await memberByUser(db, dao.id, admin);
      await record({ actor, action: 'dao.create', subject: dao.id, detail: { ...(first && { admin: first.id }) } });
      if (first) {
        const { id: subject, roles } = first;
        await recordIn(db, { daoId: dao.id, key }, { actor, action: 'member.add', subject, detail: { roles } });
      }
      return there(await findDao(db, dao.id));
    });
  }

  /**
   * Changes a DAO. How it decides only somebody may change who may do everything in it; what it may use, the platform.
   * @throws AppError `VERSION_CHANGED`, `BODY_INVALID` and those of access
   */
  async change(key: CallerKey, daoId: string, patch: DaoPatch, expected: Expected): Promise<Dao> {
    return this.parts.changes.make(key, daoId, 'config.update', async (now) => {
      if (patch.settings) this.parts.changes.requireAdmin(now);
      if (patch.limits) requireEntitlements(now.by, ['platform.admin']);
      const before = there(await findDao(now.db, daoId));
      requireVersion(before.version, expected);
      const dao = await updateDao(now.db, daoId, merged(before, patch));
      await recordUpdate(now, patch, dao);
      return dao;
    });
  }
}

function merged(before: Dao, { name, facts, profile, settings, limits }: DaoPatch): DaoChanges {
  const kept = mergedByName(before.facts, facts);
  if (facts && Object.keys(kept).length > MOST_FACTS) {
    throw new AppError('BODY_INVALID', `A DAO has at most ${MOST_FACTS} facts: take some away first.`);
  }
  return {
    ...(name !== undefined && { name }),
    ...(facts && { facts: kept }),
    ...(profile && { profile: mergedByName(before.profile, profile) }),
    ...(settings && { settings: mergedByName(before.settings, settings) }),
    ...(limits && { limits: mergedByName(before.limits, limits) }),
  };
}

/** Which fields were changed; how a DAO decides and what it may use, which is all numbers, also to what. */
async function recordUpdate({ record, by }: Change, patch: DaoPatch, { id, version }: Dao): Promise<void> {
  const { settings, limits } = patch;
  const fields = Object.entries(patch).flatMap(([field, value]) => (value === undefined ? [] : [field]));
  const detail = { fields, version, ...(settings && { settings }), ...(limits && { limits }) };
  await record({ actor: by.actor, action: 'dao.update', subject: id, detail });
}

function there(dao: Dao | undefined): Dao {
  if (!dao) throw new AppError('DAO_NOT_FOUND');
  return dao;
}
