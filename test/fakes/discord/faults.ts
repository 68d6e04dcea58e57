import { generatorOf } from '../fake-text.js';
import { takeFault } from '../planned-faults.js';
import type { CallFault, FakeDiscordSettings } from './settings.js';

const BY_CHANCE = ['error-500', 'reset-before', 'reset-after', 'delay', 'too-many'] as const;
const CHANCE_MS = 400;

/** What goes wrong: first what was asked for, then what chance brings. */
export class Faults {
  private planned: CallFault[] = [];
  private draw: () => number;
  private readonly settings: () => FakeDiscordSettings;

  constructor(settings: () => FakeDiscordSettings) {
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
  take(operation: string): CallFault | undefined {
    return takeFault(this.planned, (fault) => (fault.operation ?? operation) === operation) ?? this.byChance();
  }

  private byChance(): CallFault | undefined {
    if (this.settings().chance === 0 || this.draw() >= this.settings().chance) return undefined;
    const kind = BY_CHANCE[Math.floor(this.draw() * BY_CHANCE.length)] ?? 'error-500';
    return { kind, ms: CHANCE_MS, seconds: CHANCE_MS / 1_000 };
  }
}
