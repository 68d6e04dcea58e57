import type { ToolOutput } from '../src/contracts/devtools.js';

/** How often readers are told what a program printed, in milliseconds. */
const TELL_EVERY_MS = 50;
/** After so much a run's readers wait for the result, in UTF-16 units. */
const MOST_TOLD = 524_288;

/** What a program prints, for readers: gathered for a moment, in order, bounded. */
export class OutputStream {
  private gathered: ToolOutput[] = [];
  private told = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (output: ToolOutput) => void) {}

  push({ stream, text }: ToolOutput): void {
    const room = MOST_TOLD - this.told;
    if (room <= 0 || text === '') return;
    const part = text.slice(0, room);
    this.told += part.length;
    const last = this.gathered.at(-1);
    if (last?.stream === stream) last.text += part;
    else this.gathered.push({ stream, text: part });
    this.timer ??= setTimeout(() => {
      this.flush();
    }, TELL_EVERY_MS);
  }

  /** Tells what is left. */
  end(): void {
    this.flush();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { gathered } = this;
    this.gathered = [];
    gathered.forEach(this.tell);
  }
}
