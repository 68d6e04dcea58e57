import type { PositionedEvent } from '../../src/contracts/events.js';

/** Tokens are gathered this long before they are sent, but for the first ones, which go at once. */
const FLUSH_MS = 25;

/** Gathers the text of one run of a model and publishes it in pieces. */
export class TokenStream {
  text = '';
  private sent = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly generation: number,
    private readonly publish: (event: PositionedEvent) => void,
  ) {}

  get started(): boolean {
    return this.text !== '';
  }

  push(text: string): void {
    const first = !this.started;
    this.text += text;
    if (first) this.flush();
    else
      this.timer ??= setTimeout(() => {
        this.flush();
      }, FLUSH_MS);
  }

  /** Sends what is left. */
  end(): void {
    this.flush();
  }

  /** Drops what is left: nobody is to see it. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private flush(): void {
    this.stop();
    if (this.sent === this.text.length) return;
    const text = this.text.slice(this.sent);
    this.sent = this.text.length;
    this.publish({ type: 'token', data: { text }, position: { generation: this.generation, offset: this.sent } });
  }
}
