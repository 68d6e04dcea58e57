import type { Logger } from 'pino';
import type { RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import { isFinal } from '../domain/bodies.js';
import type { RequestsService } from './requests.service.js';

const EVERY_MS = 15_000;
/** A row that is younger may belong to a start that is under way, in milliseconds. */
const YOUNG_MS = 10_000;
/** An overdue request's workflow gets this long to write down its end by itself, in milliseconds. */
const OVERDUE_MS = 60_000;
const BATCH = 200;

/**
 * Repairs what a crash left between the row and the workflow: a request that was written down but never started, or
 * whose workflow is gone (terminated by hand, or lost with the development server's database), is started again.
 */
export class ReconcilerService {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly requests: RequestsRepository,
    private readonly service: RequestsService,
    private readonly log: Logger,
  ) {}

  /** Looks at every open request once, then at doubtful ones from time to time. */
  start(): void {
    void this.pass(() => true);
    this.timer = setInterval(() => void this.pass(isDoubtful), EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async pass(selects: (record: RequestRecord) => boolean): Promise<void> {
    try {
      const open = await this.requests.findOpen(new Date(Date.now() - YOUNG_MS), BATCH);
      for (const record of open.filter(selects)) await this.repair(record);
    } catch (error) {
      this.log.warn({ err: error }, 'open requests could not be checked; they are checked again shortly');
    }
  }

  private async repair(record: RequestRecord): Promise<void> {
    if (isFinal(record.status)) return;
    await this.service.restart(record);
    const { id, daoId, actor, status } = record;
    this.log.info({ request_id: id, dao_id: daoId, user_id: actor, status }, 'open request checked');
  }
}

const isDoubtful = ({ status, deadlineAt }: RequestRecord): boolean =>
  status === 'accepted' || deadlineAt.getTime() < Date.now() - OVERDUE_MS;
