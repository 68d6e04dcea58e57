import type { RequestBody } from '../contracts/bodies.js';
import type { RequestEvent } from '../contracts/events.js';
import { plain } from './plain-text.js';

/** Writes an answer to a terminal while it arrives. */
export class AnswerPrinter {
  private hasText = false;

  constructor(private readonly write: (text: string) => void) {}

  readonly hear = (event: RequestEvent): void => {
    if (event.type === 'token') {
      this.hasText = true;
      this.write(plain(event.data.text));
    } else if (event.type === 'attempt' && this.hasText) {
      // The model was started again (a crash, see docs/adr/0001): what stands above is not part of the answer.
      this.hasText = false;
      this.write('\n[interrupted; answering again]\n');
    } else if (event.type === 'done' || event.type === 'error') {
      this.finish(event.data);
    }
  };

  private finish(body: RequestBody): void {
    // An answer that came from the record alone has no token events.
    if (!this.hasText && body.ok && body.data) this.write(plain(body.data.text));
    this.write('\n');
  }
}

/** `embedded · 812 ms (gateway 3, rbac 1, queue 2, llm 790)` */
export function describeTimings(body: RequestBody): string {
  const { total, ...parts } = body.timings_ms;
  const list = Object.entries(parts).map(([name, ms]) => `${name} ${Math.round(ms)}`);
  const provider = (body.ok ? body.provider : null) ?? 'no provider';
  return plain(`${provider} · ${Math.round(total ?? 0)} ms${list.length > 0 ? ` (${list.join(', ')})` : ''}`);
}
