import type { MembersRepository } from '../adapters/store/members.repository.js';
import type { RolesRepository } from '../adapters/store/roles.repository.js';
import type { AccessService } from './access.service.js';
import type { ChangesService } from './changes.service.js';
import type { Guarded } from './config-guard.js';
import { MicrodaoService, type ProposalPages } from './microdao.service.js';
import type { RecordedDecisions } from './recorded-decisions.js';
import { ResolutionService } from './resolution.service.js';
import { RoleGuard } from './role-guard.js';
import { RolesService } from './roles.service.js';

/** What services of roles and rights stand on. */
export interface RightsParts {
  access: AccessService;
  changes: ChangesService;
  repositories: { roles: RolesRepository; members: MembersRepository };
  recorded: RecordedDecisions;
  /** The running configuration, as far as the guard looks at it. */
  running: () => Guarded;
  /** Absent: nothing serves them. */
  proposals?: ProposalPages;
}

/** Services of roles and of what they give. */
export interface RightsServices {
  roles: RolesService;
  resolution: ResolutionService;
  microdao: MicrodaoService;
}

/** Wires them. */
export function rightsOf({ access, changes, repositories, recorded, running, proposals }: RightsParts): RightsServices {
  const guard = new RoleGuard(recorded, running);
  const roles = new RolesService({ roles: repositories.roles, access, changes, guard });
  const { members } = repositories;
  return {
    roles,
    resolution: new ResolutionService(access),
    microdao: new MicrodaoService({ access, roles, members, proposals }),
  };
}
