import type { Logger } from 'pino';
import type { AgentTool, CrewDefinition } from '../contracts/crew.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { CrewGatesRepository } from '../adapters/store/crew-gates.repository.js';
import type { CrewRunsRepository } from '../adapters/store/crew-runs.repository.js';
import type { CrewViewsRepository } from '../adapters/store/crew-views.repository.js';
import type { CrewsRepository } from '../adapters/store/crews.repository.js';
import type { DaosRepository } from '../adapters/store/daos.repository.js';
import type { KeysRepository } from '../adapters/store/keys.repository.js';
import type { ProposalsRepository } from '../adapters/store/proposals.repository.js';
import type { RolesRepository } from '../adapters/store/roles.repository.js';
import type { RoomForRuns } from '../adapters/store/run-requests.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { SchemaValidators } from '../adapters/schema-validators.js';
import type { AllowedTool } from '../domain/crew/turn.js';
import type { OfferedTool } from '../domain/crew/turn-way.js';
import type { AccessService } from './access.service.js';
import type { Abilities } from './availability.service.js';
import type { ChangesService } from './changes.service.js';
import { CrewAdvanceService } from './crew-advance.service.js';
import { CrewRunsService, type CrewClock } from './crew-runs.service.js';
import { CrewStarts } from './crew-starts.js';
import { CrewsService, type ReadCrew } from './crews.service.js';
import { DaoTools } from './dao-tools.js';
import type { HeadStarts } from './head-starts.js';
import type { LimitsService } from './limits.service.js';

/** What services of crews stand on. */
export interface CrewingParts {
  repositories: {
    crews: CrewsRepository;
    crewRuns: CrewRunsRepository;
    crewViews: CrewViewsRepository;
    crewGates: CrewGatesRepository;
    daos: DaosRepository;
    keys: KeysRepository;
    proposals: ProposalsRepository;
    roles: RolesRepository;
  };
  access: AccessService;
  changes: ChangesService;
  limits: LimitsService;
  abilities: Abilities;
  clock: CrewClock;
  headStarts: HeadStarts;
  bus: InProcessTokenBus;
  routing: () => RoutingTable;
  tools: ReadonlyMap<AgentTool, OfferedTool & AllowedTool>;
  shipped: readonly CrewDefinition[];
  read: ReadCrew;
  hashOf: (definition: CrewDefinition) => string;
  room: () => RoomForRuns;
  log: Logger;
}

/** Services of crews. */
export interface Crewing {
  crews: CrewsService;
  runs: CrewRunsService;
  starts: CrewStarts;
  advancing: CrewAdvanceService;
  daoTools: DaoTools;
}

/** Wires them. */
export function crewingOf(parts: CrewingParts): Crewing {
  const { repositories, access, changes, limits, abilities, clock, headStarts, routing, tools, bus, log } = parts;
  const { crews: own, crewRuns, crewViews: views, crewGates: gates, keys, roles } = repositories;
  const validators = new SchemaValidators();
  const { shipped, read, hashOf, room } = parts;
  const crews = new CrewsService({ crews: own, access, changes, validators, shipped, read, hashOf });
  const runs = new CrewRunsService({ views, gates, access, changes, validators, clock });
  const advancing = new CrewAdvanceService({
    ...{ runs: crewRuns, keys, roles, access, limits, abilities, validators, tools, routing, headStarts, bus, log },
  });
  return {
    crews,
    runs,
    starts: new CrewStarts(crews, runs, room, advancing),
    advancing,
    daoTools: new DaoTools(repositories),
  };
}
