import type { CrewProgress } from '../contracts/crew-steps.js';
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
  private readonly status: StatusLine;

  constructor(private readonly out: ProgressStream) {
    this.status = terminalStatus({ isTTY: out.isTTY ?? false, write: (text) => out.write(text) });
  }

  readonly hear = (event: RequestEvent): void => {
    if (event.type === 'crew') this.tell(event.data);
  };

  /** Takes the line away. */
  end(): void {
    this.status('');
  }

  private tell({ task, agent, state, tokens }: CrewProgress): void {
    const spent = counted(tokens, 'token');
    if (!this.out.isTTY) {
      this.out.write(`${plain(`${task} (${agent}): ${state}, ${spent}`)}\n`);
      return;
    }
    if (state === 'running') this.working.set(task, agent);
    else this.working.delete(task);
    const now = [...this.working].map(([at, who]) => `${who} works on ${at}`);
    const line = plain(`${spent}; ${now.length > 0 ? now.join(', ') : `${task} ${state}`}`);
    // What does not fit in a line could not be written over.
    const { columns = 0 } = this.out;
    this.status(line.slice(0, (columns > 0 ? columns : USUAL_COLUMNS) - 1));
  }
}
