import type { WriteJournal } from '../../contracts/devtools.js';
import type { Growth, Usage } from './usage.js';
import type { Opener } from './walk.js';

/** Whoever has files written, as far as that must be asked or told. */
export interface Writing {
  /** What an earlier attempt of the same was about to write; null: there was none that came so far. */
  journal: WriteJournal | null;
  /** Awaited once nothing but the disk can go wrong any more, before the first change. @throws if nothing may change */
  onPlan(journal: WriteJournal): Promise<void>;
  /** Awaited directly before each change. @throws if nothing may change any more */
  beforeWrite(): Promise<void>;
}

/** One call that writes. */
export class WriteRun {
  private refusal: { error: unknown } | undefined;

  constructor(
    readonly open: Opener,
    private readonly writing: Writing,
    private readonly usage: Usage,
  ) {}

  get journal(): WriteJournal | null {
    return this.writing.journal;
  }

  /**
   * Runs the call to its end.
   * @throws what the call throws; where it was refused to go on, that error as it is
   */
  async run<T>(call: (run: WriteRun) => Promise<T>): Promise<T> {
    try {
      return await call(this);
    } catch (error) {
      // The call may have taken it for an error of the operating system.
      throw this.refusal === undefined ? error : this.refusal.error;
    }
  }

  /**
   * Makes changes that were verified, within the quota.
   * @param growth what they add; below 0: what they take away
   * @throws AppError `FILE_TOO_LARGE`, and what `changes` throws
   */
  async carryOut(plan: WriteJournal, growth: Growth, changes: () => Promise<void>): Promise<void> {
    const giveBack = await this.usage.claim(growth);
    try {
      await this.asked(() => this.writing.onPlan(plan));
      await changes();
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** To be awaited directly before each change. */
  readonly mayChange = (): Promise<void> => this.asked(() => this.writing.beforeWrite());

  /** To be awaited directly before a folder is made. */
  readonly mayMakeFolder = async (): Promise<void> => {
    await this.mayChange();
    this.usage.add({ bytes: 0, files: 1 });
  };

  private async asked(question: () => Promise<void>): Promise<void> {
    try {
      await question();
    } catch (error) {
      this.refusal = { error };
      throw error;
    }
  }
}
