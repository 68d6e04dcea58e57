import { generatorOf } from '../fake-text.js';
import { takeFault } from '../planned-faults.js';
import type { UpdateFault } from './updates.js';
import { CALL_FAULTS } from './settings.js';
import type { CallFault, CallFaultKind, FakeTelegramSettings } from './settings.js';

/** What goes wrong: first what was asked for, then what chance brings. */
export class Faults {
  private planned: CallFault[] = [];
  private draw: () => number;
  private readonly settings: () => FakeTelegramSettings;

  constructor(settings: () => FakeTelegramSettings) {
    this.settings = settings;
    this.draw = generatorOf(settings().seed);
  }

  plan(...faults: CallFault[]): void {
    this.planned.push(...faults);
  }

  /** Forgets what was asked for, and draws from the beginning. */
  reset(): void {
    this.planned = [];
    this.draw = generatorOf(this.settings().seed);
  }

  /** The fault of a call, used up. */
  take(method: string, chat: number | undefined): CallFault | undefined {
    return (
      takeFault(this.planned, (fault) => (fault.method ?? method) === method && (fault.chat ?? chat) === chat) ??
      this.byChance()
    );
  }

  /** Whether chance spoils an update so. */
  spoils(fault: UpdateFault): boolean {
    return this.drawn(fault);
  }

  private byChance(): CallFault | undefined {
    const { chanceDelayMs: ms, chanceRetryAfter: seconds } = this.settings();
    const kind = CALL_FAULTS.find((each) => each !== 'refuse' && this.drawn(each));
    return kind && { kind, ms, seconds };
  }

  private drawn(name: Exclude<CallFaultKind, 'refuse'> | UpdateFault): boolean {
    const share = this.settings().chances[name] ?? 0;
    return share > 0 && this.draw() < share;
  }
}
