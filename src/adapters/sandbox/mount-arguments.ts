import type { SandboxMount } from '../../contracts/devtools.js';

/** Options for bubblewrap that show a file or folder of the host. */
export const mountArguments = ({ source, target, writable }: SandboxMount): string[] =>
  writable ? ['--overlay-src', source, '--tmp-overlay', target] : ['--ro-bind', source, target];
