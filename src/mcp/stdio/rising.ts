import type { JSONRPCNotification } from '@modelcontextprotocol/server';
import { progressOf } from './messages.js';

/** Numbers of the progress of one call: they rise, though whoever counts begins anew when it is asked again. */
export class Rising {
  private told = 0;

  /** The next number, at least a given one. */
  next(atLeast = 0): number {
    this.told = Math.max(atLeast, this.told + 1);
    return this.told;
  }

  /** A notice with a number that has risen; others as they are. */
  raise(notice: JSONRPCNotification): JSONRPCNotification {
    const progress = progressOf(notice);
    if (progress === undefined) return notice;
    return {
      ...notice,
      params: { ...notice.params, progress: progress > this.told ? this.next(progress) : this.next() },
    };
  }
}
