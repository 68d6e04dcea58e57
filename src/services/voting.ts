import type { Logger } from 'pino';
import type { Entitlement } from '../contracts/access.js';
import type { ProposalFloors } from '../contracts/proposal.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { DelegationsRepository } from '../adapters/store/delegations.repository.js';
import type { ProposalsRepository } from '../adapters/store/proposals.repository.js';
import type { VotesRepository } from '../adapters/store/votes.repository.js';
import type { AccessService } from './access.service.js';
import type { ChangesService } from './changes.service.js';
import { DelegationsService } from './delegations.service.js';
import { ProposalAdvanceService } from './proposal-advance.service.js';
import { ProposalsService, type ProposalClock, type ProposalsDependencies } from './proposals.service.js';
import { VotesService } from './votes.service.js';

/** What services of proposals stand on. */
export interface VotingParts {
  access: AccessService;
  changes: ChangesService;
  repositories: {
    audit: AuditRepository;
    delegations: DelegationsRepository;
    proposals: ProposalsRepository;
    votes: VotesRepository;
  };
  clock: ProposalClock;
  /** What no DAO's settings go below. */
  floors: () => ProposalFloors;
  runs: ProposalsDependencies['runs'];
  /** What somebody in each DAO must be able to do, whatever is executed. */
  adminNeeds: readonly Entitlement[];
  log: Logger;
}

/** Services of proposals and of how they are decided. */
export interface Voting {
  proposals: ProposalsService;
  votes: VotesService;
  delegations: DelegationsService;
  advancing: ProposalAdvanceService;
}

/** Wires them. */
export function votingOf({ access, changes, repositories, clock, floors, runs, adminNeeds, log }: VotingParts): Voting {
  const { audit, delegations } = repositories;
  const shared = { proposals: repositories.proposals, clock, log };
  const proposals = new ProposalsService({ ...shared, access, changes, floors, runs });
  return {
    proposals,
    votes: new VotesService(repositories.votes, proposals, access, audit),
    delegations: new DelegationsService(delegations, access, changes),
    advancing: new ProposalAdvanceService({ ...shared, audit, adminNeeds }),
  };
}
