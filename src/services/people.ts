import type { Entitlement } from '../contracts/access.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { DaosRepository } from '../adapters/store/daos.repository.js';
import type { InvitationsRepository } from '../adapters/store/invitations.repository.js';
import type { MembersRepository } from '../adapters/store/members.repository.js';
import type { AccessService } from './access.service.js';
import { ChangesService } from './changes.service.js';
import { DaosService } from './daos.service.js';
import { ForgettingService } from './forgetting.service.js';
import { InvitationsService } from './invitations.service.js';
import { MembersService } from './members.service.js';

/** What services of DAOs and their people stand on. */
export interface PeopleParts {
  access: AccessService;
  repositories: {
    audit: AuditRepository;
    daos: DaosRepository;
    invitations: InvitationsRepository;
    members: MembersRepository;
  };
  /** Roles that every DAO starts with; what its admin may, somebody of each DAO must. */
  roles: Readonly<Record<string, readonly Entitlement[]>>;
}

/** Services of DAOs and their people. */
export interface People {
  changes: ChangesService;
  daos: DaosService;
  members: MembersService;
  invitations: InvitationsService;
  forgetting: ForgettingService;
}

/** Wires them. */
export function peopleOf({ access, repositories, roles }: PeopleParts): People {
  const { audit, daos, invitations, members } = repositories;
  const changes = new ChangesService(access, audit, roles.admin ?? []);
  return {
    changes,
    daos: new DaosService({ daos, access, audit, changes, roles }),
    members: new MembersService(members, access, changes),
    invitations: new InvitationsService(invitations, access, changes),
    forgetting: new ForgettingService(access, changes),
  };
}
