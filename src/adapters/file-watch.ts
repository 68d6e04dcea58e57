import { watch, type FSWatcher } from 'chokidar';
import type { Logger } from 'pino';

/**
 * Files are looked at this often, in milliseconds. Asking costs next to nothing for a handful of them, and sees what
 * the system's own events do not: network file systems, and links that are turned to another folder.
 */
const LOOK_EVERY_MS = 250;
/** A file that is being written is left alone until its size has stayed the same this long, in milliseconds. */
const SETTLED_MS = 200;
/** Changes of several files, or a file that is taken away and put back, are told together, in milliseconds. */
const TOGETHER_MS = 300;

/** Files that are watched together, however they are saved: in place, or by another file in their place. */
export class FileWatch {
  private readonly files = new Set<string>();
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private onChange: () => void = () => undefined;

  constructor(private readonly log: Logger) {}

  /** Watches exactly these files from now on; those that were watched before and are still named are not let go. */
  watch(files: readonly string[], onChange: () => void): void {
    this.onChange = onChange;
    const gone = [...this.files].filter((file) => !files.includes(file));
    const added = files.filter((file) => !this.files.has(file));
    gone.forEach((file) => this.files.delete(file));
    added.forEach((file) => this.files.add(file));
    if (gone.length > 0) this.watcher?.unwatch(gone);
    if (added.length > 0) (this.watcher ??= this.open()).add(added);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.onChange = () => undefined;
    await this.watcher?.close();
  }

  private open(): FSWatcher {
    const watcher = watch([], {
      backend: 'polling',
      pollingInterval: LOOK_EVERY_MS,
      awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: 50 },
      ignoreInitial: true,
      persistent: false,
    });
    watcher.on('all', () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.onChange();
      }, TOGETHER_MS).unref();
    });
    watcher.on('error', (error) => {
      this.log.warn(
        { err: error },
        'a file of the profile cannot be watched; SIGHUP and "dagi config reload" still work',
      );
    });
    return watcher;
  }
}
