import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { requestWorkflowId } from '../contracts/ids.js';
import { requestFields } from '../contracts/log-fields.js';
import type { RefusalsRepository } from '../adapters/store/refusals.repository.js';
import type { OpenFilter } from '../adapters/store/find-requests.js';
import type { RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { RequestsService } from './requests.service.js';

const EVERY_MS = 15_000;
/** A row that is younger may belong to a start that is under way, in milliseconds. */
const YOUNG_MS = 10_000;
/** An overdue request's workflow gets this long to write down its end by itself, in milliseconds. */
const OVERDUE_MS = 60_000;
/** As long as an idempotency key gives the first answer again, in milliseconds. */
const KEEP_BULK_MS = 24 * 3_600_000;
/**
 * In so many passes all open requests are looked at once: a run of a crew waits for weeks, and its workflow may have been
 * ended from outside by then.
 */
const PASSES_TO_ALL = 40;
const BATCH = 200;

/** What else a clock may have missed. */
export interface Overdue {
  sweep(): Promise<void>;
}

/**
 * Repairs what a crash left between the row and the workflow: a request that was written down but never started, or
 * whose workflow is gone (terminated by hand, or lost with the development server's database), is started again. Each
 * pass also deletes refusals that are older than they may be kept, and advances proposals that are overdue.
 */
export class ReconcilerService {
  private readonly stopping = new AbortController();

  constructor(
    private readonly requests: RequestsRepository,
    private readonly service: RequestsService,
    private readonly log: Logger,
    private readonly refusals: RefusalsRepository,
    private readonly overdue: Readonly<Record<string, Overdue>> = {},
  ) {}

  /** Looks at every open request once, then at doubtful ones from time to time, and at all of them now and then. */
  start(): void {
    void this.run();
  }

  stop(): void {
    this.stopping.abort();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    await this.pass({ receivedBefore: new Date() });
    await this.forget();
    await this.sweep();
    for (let passes = 1; !signal.aborted; passes += 1) {
      await sleep(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      const now = Date.now();
      const doubtful = passes % PASSES_TO_ALL === 0 ? {} : { overdueSince: new Date(now - OVERDUE_MS) };
      await this.pass({ receivedBefore: new Date(now - YOUNG_MS), ...doubtful });
      await this.forget();
      await this.sweep();
    }
  }

  /** All requests that fit, page by page. */
  private async pass(filter: OpenFilter): Promise<void> {
    let after = '';
    try {
      while (!this.stopping.signal.aborted) {
        const page = await this.requests.findOpen(filter, after, BATCH);
        for (const record of page) {
          if (this.stopping.signal.aborted) return;
          await this.repair(record);
        }
        after = page.at(-1)?.id ?? '';
        if (page.length < BATCH) return;
      }
    } catch (error) {
      this.log.warn({ err: error }, 'open requests could not be checked; they are checked again shortly');
    }
  }

  private async sweep(): Promise<void> {
    for (const [what, overdue] of Object.entries(this.overdue)) {
      if (this.stopping.signal.aborted) return;
      try {
        await overdue.sweep();
      } catch (error) {
        this.log.warn({ what, err: error }, 'what is overdue could not be looked for; this is tried again shortly');
      }
    }
  }

  private async forget(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    try {
      const count = await this.refusals.forgetOld();
      if (count > 0) this.log.info({ count }, 'old refusals deleted');
      await this.requests.dropBulk(new Date(Date.now() - KEEP_BULK_MS));
    } catch (error) {
      this.log.warn({ err: error }, 'old refusals could not be deleted; this is tried again shortly');
    }
  }

  /** One that cannot be repaired now keeps no other from it. */
  private async repair(record: RequestRecord): Promise<void> {
    const { id, daoId, actor, status, decision } = record;
    const workflowId = requestWorkflowId(id, decision);
    const fields = { ...requestFields({ requestId: id, daoId, actor, workflowId }), status };
    try {
      await this.service.restart(record);
      this.log.info(fields, 'open request checked');
    } catch (error) {
      this.log.warn({ ...fields, err: error }, 'open request could not be checked');
    }
  }
}
