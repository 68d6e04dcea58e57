import { readFileSync } from 'node:fs';
import { usageOf } from './parties.mjs';

/** Looks at the memory of the product's own Node processes each second; its Temporal server is not counted. */
export class MemoryWatch {
  samples = [];

  constructor(pid) {
    this.timer = setInterval(() => this.samples.push(nodeMegabytes(pid)), 1_000);
  }

  stop() {
    clearInterval(this.timer);
  }

  /** The least of each fifth of the time: what is left after a garbage collection. */
  points(count = 5) {
    const size = Math.floor(this.samples.length / count);
    return Array.from({ length: count }, (_, index) =>
      Math.min(...this.samples.slice(index * size, (index + 1) * size)),
    );
  }
}

function nodeMegabytes(pid) {
  const own = nameOf(pid).startsWith('temporal') ? 0 : usageOf(pid).megabytes;
  return childrenOf(pid).reduce((sum, child) => sum + nodeMegabytes(child), own);
}

const read = (path) => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

const nameOf = (pid) => read(`/proc/${pid}/comm`);
const childrenOf = (pid) => read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
