import { readdirSync, readFileSync } from 'node:fs';
import { median } from '../../../bench/lib/stats.mjs';

const EVERY_MS = 5_000;

/** Looks at the product every few seconds: its memory, its open files, and what it has under way. */
export class Watch {
  samples = [];

  constructor(stage) {
    this.stage = stage;
  }

  async sample() {
    const { product, models } = this.stage;
    const [workflows, { open, local }] = await Promise.all([this.stage.openWorkflows(), this.stage.providers()]);
    const process = treeOf(product.pid);
    const sample = {
      ...{ ...process, workflows, inFlight: open.in_flight + local.in_flight },
      ...{ running: local.pool.running, waiting: local.pool.waiting },
      models: models.open.open + models.local.open,
    };
    this.samples.push(sample);
    return sample;
  }

  /** Until it is told to stop. */
  async run(signal) {
    while (!signal.aborted) {
      await this.sample();
      await new Promise((done) => {
        const timer = setTimeout(done, EVERY_MS);
        signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true });
      });
    }
  }

  /** Median of a figure in one quarter of the time, the first being 0. */
  quarter(index, name) {
    const size = this.samples.length / 4;
    return median(this.samples.slice(Math.floor(index * size), Math.floor((index + 1) * size)).map((one) => one[name]));
  }
}

/** Resident memory in MB and open files of a process and all below it. */
function treeOf(pid) {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(treeOf);
  const rss = Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
  return children.reduce((sum, child) => ({ rss: sum.rss + child.rss, files: sum.files + child.files }), {
    rss,
    files: filesOf(pid),
  });
}

function filesOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
