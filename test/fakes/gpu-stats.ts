/** Who asked, as the prompt says: `dao=<id> member=<id>`; what it does not say is `?`. */
export interface Asker {
  dao: string;
  member: string;
}

/** One call that holds a place on the card. */
export interface HeldCall extends Asker {
  marker: string;
  beganAt: number;
}

export interface Share {
  calls: number;
  completed: number;
  aborted: number;
  /** How long its calls held a place on the card, those that still do included. */
  servedMs: number;
}

type End = 'completed' | 'aborted';

const nothing = (): Share => ({ calls: 0, completed: 0, aborted: 0, servedMs: 0 });

/** Counters of a card: of what it did, for whom, and how many calls it had at once. */
export class GpuStats {
  calls = 0;
  completed = 0;
  /** Left by the client before the answer was complete. */
  aborted = 0;
  hung = 0;
  refused = 0;
  /** Answers at once: now, and the most there ever were. */
  concurrent = 0;
  maxConcurrent = 0;
  tokens = 0;
  /** Longest time in which the fake itself got no processor, in milliseconds: beyond some tens, no figure is worth much. */
  longestGapMs = 0;
  /** Time of the answers that were completed. */
  completedMs = 0;
  readonly byDao: Record<string, Share> = {};
  readonly byMember: Record<string, Share> = {};
  /** Answers that were begun, per marker: what was begun twice was bought twice. */
  readonly startedByPrompt: Record<string, number> = {};
  private readonly held = new Set<HeldCall>();

  begin(marker: string, { dao, member }: Asker, now: number): HeldCall {
    const call = { marker, dao, member, beganAt: now };
    this.held.add(call);
    this.calls++;
    this.concurrent++;
    this.maxConcurrent = Math.max(this.maxConcurrent, this.concurrent);
    this.startedByPrompt[marker] = (this.startedByPrompt[marker] ?? 0) + 1;
    for (const share of this.sharesOf(call)) share.calls++;
    return call;
  }

  /** Safe to repeat: only the first end counts. */
  end(call: HeldCall, how: End, now: number): void {
    if (!this.held.delete(call)) return;
    this.concurrent--;
    this[how]++;
    if (how === 'completed') this.completedMs += now - call.beganAt;
    for (const share of this.sharesOf(call)) {
      share[how]++;
      share.servedMs += now - call.beganAt;
    }
  }

  /** The counters as they are now, with the time of calls that still run. */
  snapshot(now: number): object {
    const { held, ...counters } = this;
    const copy = structuredClone(counters);
    for (const call of held) {
      for (const share of [copy.byDao[call.dao], copy.byMember[call.member]]) {
        if (share) share.servedMs += now - call.beganAt;
      }
    }
    return { ...copy, meanServiceMs: this.completed > 0 ? this.completedMs / this.completed : null };
  }

  private sharesOf({ dao, member }: Asker): Share[] {
    return [(this.byDao[dao] ??= nothing()), (this.byMember[member] ??= nothing())];
  }
}
