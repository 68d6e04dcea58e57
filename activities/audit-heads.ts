import { Context } from '@temporalio/activity';
import type { HeadSigner, SigningReport } from '../src/contracts/audit.js';
import { storeFailure } from './store-failure.js';

export interface AuditHeadsDependencies {
  auditHeads: HeadSigner;
}

export interface AuditHeadsActivities {
  /** Signs the head of every chain for today, and makes it public; goes on where an attempt before broke off. */
  signHeads(): Promise<SigningReport>;
}

export const createAuditHeadsActivities = ({ auditHeads }: AuditHeadsDependencies): AuditHeadsActivities => ({
  signHeads() {
    const context = Context.current();
    const done: unknown = context.info.heartbeatDetails;
    const after = typeof done === 'string' ? done : undefined;
    return storeFailure(() =>
      auditHeads.signAll(after, (chain) => {
        context.heartbeat(chain);
        context.cancellationSignal.throwIfAborted();
      }),
    );
  },
});
