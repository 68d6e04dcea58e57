import { createHash } from 'node:crypto';

/** What became of a call: it came, it was answered in full, or its caller left before that. */
export interface LedgerEntry {
  call: number;
  /** Of the conversation that it was made with. */
  digest: string;
  what: 'begun' | 'answered' | 'broken';
  /** Milliseconds since 1970. */
  at: number;
}

/** Which conversation it is: the same for the same roles and texts. */
export const digestOf = (messages: readonly { role: string; content: unknown }[]): string =>
  createHash('sha256')
    .update(JSON.stringify(messages.map(({ role, content }) => [role, content ?? ''])))
    .digest('hex');

/** Every call of a fake from its first byte to its end, for whoever wants to know what was bought, and when. */
export class CallLedger {
  private readonly entries: LedgerEntry[] = [];
  private calls = 0;
  private waiting: (() => void)[] = [];

  /** Writes down that a call came; what became of it is told once. */
  begin(digest: string): (what: 'answered' | 'broken') => void {
    this.calls += 1;
    const call = this.calls;
    let open = true;
    this.add({ call, digest, what: 'begun', at: Date.now() });
    return (what) => {
      if (open) this.add({ call, digest, what, at: Date.now() });
      open = false;
    };
  }

  /** Entries behind the first `count`, once there are some. */
  async after(count: number): Promise<LedgerEntry[]> {
    if (this.entries.length <= count) await new Promise<void>((wake) => this.waiting.push(wake));
    return this.entries.slice(count);
  }

  /** Lets go of those who wait. */
  close(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }

  private add(entry: LedgerEntry): void {
    this.entries.push(entry);
    this.close();
  }
}
