import type { AdvanceCrewInput } from '../contracts/crew-steps.js';
import type { CrewChoice, CrewRequest } from '../contracts/request.js';
import type { NewRun, RoomForRuns } from '../adapters/store/run-requests.js';
import { requireSameCrew, reusedOutputs } from '../domain/crew/reuse.js';
import { AppError } from '../errors/app-error.js';
import type { Acting } from './access.service.js';
import type { CrewAdvanceService } from './crew-advance.service.js';
import type { Crew, CrewsService } from './crews.service.js';
import type { CrewRunsService } from './crew-runs.service.js';

/** A crew as a decision needs it. */
export const choiceOf = ({ definition, hash }: Crew): CrewChoice => ({
  id: definition.id,
  version: hash,
  ...(definition.open_to_guests && { guests: true }),
});

/** How runs of crews begin. */
export class CrewStarts {
  constructor(
    private readonly crews: CrewsService,
    private readonly runs: Pick<CrewRunsService, 'base'>,
    /** What the profile allows at the moment. */
    private readonly room: () => RoomForRuns,
    private readonly advancing: Pick<CrewAdvanceService, 'lookAhead'>,
  ) {}

  /** Has the first models of a run begin that was written down, while its workflow is started. It fails nobody. */
  lookAhead(run: AdvanceCrewInput): Promise<void> {
    return this.advancing.lookAhead(run);
  }

  /** The crew that is asked for; undefined: there is none. @throws AppError `STORE_UNAVAILABLE` */
  async find({ daoId }: Acting, { id }: CrewRequest): Promise<Crew | undefined> {
    try {
      return await this.crews.find(daoId, id);
    } catch (error) {
      if (error instanceof AppError && error.code === 'CREW_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /**
   * What is written down of a run that begins; what its crew says is kept by then.
   * @param crew as the run was decided about
   * @param text what was asked in words
   * @throws AppError `CREW_INPUTS_INVALID`, `RUN_NOT_FOUND`, `RBAC_PERMISSION_DENIED` and those of `CrewsService`
   */
  async begin(acting: Acting, crew: Crew, { id, inputs, base }: CrewRequest, text: string): Promise<NewRun> {
    const earlier = base && (await this.runs.base(acting, base.runId));
    const given = earlier ? { ...earlier.inputs, ...inputs } : inputs;
    const prepared = await this.crews.prepare(acting, crew, given, text);
    await this.crews.keep(acting.daoId, prepared);
    const { definition, hash, subject } = prepared;
    if (earlier) requireSameCrew(earlier, { crew: id, hash });
    return {
      ...{ crew: id, hash, subject, inputs: prepared.inputs, rights: acting.rights.entitlements },
      room: this.room(),
      base: earlier && {
        runId: earlier.runId,
        outputs: reusedOutputs(definition, earlier, { inputs: prepared.inputs, from: base?.from }),
      },
    };
  }
}
