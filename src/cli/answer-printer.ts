import type { RequestBody } from '../contracts/bodies.js';
import type { RequestEvent } from '../contracts/events.js';
import type { Origin } from '../contracts/request.js';
import { plain } from './plain-text.js';

/** A line of a terminal that is written over, beside the answer. */
export type StatusLine = (text: string) => void;

/** Carriage return, then everything to the end of the line is erased. */
const ERASE = '\r\x1b[K';

/** The status line on standard error; nothing where that is no terminal. */
export const terminalStatus = (stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr): StatusLine =>
  stream.isTTY ? (text) => stream.write(ERASE + text) : () => undefined;

/** Writes an answer to a terminal while it arrives; before that, where it waits. */
export class AnswerPrinter {
  private hasText = false;
  private waits = false;

  constructor(
    private readonly write: (text: string) => void,
    private readonly status: StatusLine = terminalStatus(),
  ) {}

  readonly hear = (event: RequestEvent): void => {
    if (event.type === 'queue') {
      this.tellPlace(event.data);
      return;
    }
    this.clearStatus();
    if (event.type === 'token') {
      this.hasText = true;
      this.write(plain(event.data.text));
    } else if (event.type === 'output') {
      this.write(plain(event.data.text));
    } else if (event.type === 'attempt' && this.hasText) {
      // The model was started again (a crash, see docs/adr/0001): what stands above is not part of the answer.
      this.hasText = false;
      this.write('\n[interrupted; answering again]\n');
    } else if (event.type === 'done' || event.type === 'error') {
      this.finish(event.data);
    }
  };

  private tellPlace({ position, expected_wait_ms: waitMs }: Extract<RequestEvent, { type: 'queue' }>['data']): void {
    // In the middle of a line of text there is no place for it.
    if (this.hasText) return;
    this.waits = true;
    this.status(`waiting: place ${position}, about ${Math.max(1, Math.round(waitMs / 1_000))} s`);
  }

  private clearStatus(): void {
    if (this.waits) this.status('');
    this.waits = false;
  }

  private finish(body: RequestBody): void {
    // An answer that came from the record alone has no token events.
    if (!this.hasText && body.ok && body.data) {
      this.write(plain(body.mode === 'chat' ? body.data.text : JSON.stringify(body.data, undefined, 2)));
    }
    this.write('\n');
  }
}

/** `embedded · 812 ms in the product (gateway 3, rbac 1, queue 2, llm 790)` */
export function describeTimings(body: RequestBody): string {
  const { total, ...parts } = body.timings_ms;
  const list = Object.entries(parts).map(([name, ms]) => `${name} ${Math.round(ms)}`);
  const source = (body.ok && (body.provider ?? describeOrigin(body.origin))) || 'no provider';
  return plain(
    `${source} · ${Math.round(total ?? 0)} ms in the product${list.length > 0 ? ` (${list.join(', ')})` : ''}`,
  );
}

/** `cache, 3 min old` */
function describeOrigin(origin: Origin | null | undefined): string | undefined {
  if (origin?.age_ms === undefined) return origin?.step;
  const seconds = Math.round(origin.age_ms / 1_000);
  return `${origin.step}, ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} old`;
}
