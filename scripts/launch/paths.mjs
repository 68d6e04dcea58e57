import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem } from './problem.mjs';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const at = (...parts) => join(ROOT, ...parts);

const PINNED_MAJOR = 24;
const thisMajor = Number(process.versions.node.split('.')[0]);

/** Whether this very process can run the product. */
export const runsHere = thisMajor >= PINNED_MAJOR;

/** The Node that runs the product: the pinned one, or this one where no package of it fits this platform. */
export function productNode() {
  const pinned = at('node_modules', '.bin', 'node');
  if (existsSync(pinned)) return pinned;
  if (runsHere) return process.execPath;
  throw new Problem(
    `There is no pinned Node for ${process.platform}-${process.arch}, and this one is ${process.versions.node}: install Node ${PINNED_MAJOR} or newer and try again.`,
  );
}
