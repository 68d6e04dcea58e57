import type { CrewProgress, TurnProgress } from '../contracts/crew-steps.js';
import type { RequestEvent } from '../contracts/events.js';
import type { ReportStream } from '../adapters/supply/reporter.js';
import { terminalStatus, type StatusLine } from './answer-printer.js';
import { counted } from './count.js';
import { plain } from './plain-text.js';

/** A stream that may be a terminal of so many columns. */
export type ProgressStream = ReportStream & { columns?: number };

const USUAL_COLUMNS = 80;

/** Shows who works on what: on a terminal in a line that is written over, elsewhere in a line for each change. */
export class CrewProgressPrinter {
  /** Agents by the task that each of them works on. */
  private readonly working = new Map<string, string>();
  /** Tokens of the run when it was told last, and of turns that are under way, by their tasks. */
  private spent = 0;
  private readonly written = new Map<string, number>();
  /** What each task was told as last, where every line stays. */
  private readonly told = new Map<string, string>();
  private readonly status: StatusLine;

  constructor(private readonly out: ProgressStream) {
    this.status = terminalStatus({ isTTY: out.isTTY ?? false, write: (text) => out.write(text) });
  }

  readonly hear = (event: RequestEvent): void => {
    if (event.type === 'crew') this.tell(event.data);
    else if (event.type === 'turn') this.count(event.data);
  };

  /** Takes the line away. */
  end(): void {
    this.status('');
  }

  private tell({ task, agent, state, tokens }: CrewProgress): void {
    this.spent = tokens;
    // What a turn wrote is in the sum once it has ended.
    this.written.delete(task);
    if (!this.out.isTTY) {
      this.line(task, plain(`${task} (${agent}): ${state}, ${counted(tokens, 'token')}`));
      return;
    }
    if (state === 'running') this.working.set(task, agent);
    else this.working.delete(task);
    this.show(`${task} ${state}`);
  }

  /** A line that stays, unless it says what the one before has said. */
  private line(task: string, text: string): void {
    if (this.told.get(task) === text) return;
    this.told.set(task, text);
    this.out.write(`${text}\n`);
  }

  private count({ task, tokens }: TurnProgress): void {
    this.written.set(task, tokens);
    if (this.out.isTTY) this.show(`a turn at ${task}`);
  }

  private show(otherwise: string): void {
    const now = [...this.working].map(([at, who]) => `${who} works on ${at}`);
    const tokens = [...this.written.values()].reduce((sum, turn) => sum + turn, this.spent);
    const line = plain(`${counted(tokens, 'token')}; ${now.length > 0 ? now.join(', ') : otherwise}`);
    // What does not fit in a line could not be written over.
    const { columns = 0 } = this.out;
    this.status(line.slice(0, (columns > 0 ? columns : USUAL_COLUMNS) - 1));
  }
}
