import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PLANTED } from './tool-work.mjs';

/** A process in a sandbox, and its group, must be gone by then after the last request has ended, in milliseconds. */
const GONE_MS = 15_000;

/** What a killed run may leave behind: processes, control groups, files. */
export class Leftovers {
  constructor({ folder, workspace, temporary, pids }) {
    Object.assign(this, { folder, workspace, temporary, pids });
  }

  /** @returns a sentence for each thing that is left */
  async faults() {
    const limit = Date.now() + GONE_MS;
    while (this.busy() && Date.now() < limit) await sleep(250);
    this.found = {
      processes: this.processes(),
      groups: this.groups(),
      files: [...this.strangers(), ...this.temporaries()],
    };
    return Object.entries(this.found).flatMap(([kind, list]) => list.map((one) => `${kind} left behind: ${one}`));
  }

  summary() {
    const { processes, groups, files } = this.found;
    return `left behind: processes of a sandbox ${processes.length}, control groups ${groups.length}, files ${files.length}`;
  }

  busy() {
    return this.processes().length + this.groups().length > 0;
  }

  /** Processes that have the workspace mounted: nobody else has this folder. */
  processes() {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => textOf(`/proc/${pid}/mountinfo`).includes(this.workspace))
      .map((pid) => `${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 100)}`);
  }

  groups() {
    const owned = (name) => this.pids.has(Number(/^dagi-run-(\d+)-\d+$/.exec(name)?.[1]));
    return foldersBelow('/sys/fs/cgroup', 4).filter((path) => owned(path.split('/').at(-1)));
  }

  /** What lies in the workspace and was neither planted nor asked for. */
  strangers() {
    const expected = new RegExp(`^(${PLANTED.join('|')})`);
    return readdirSync(this.workspace, { recursive: true }).filter(
      (path) => !path.startsWith('repository/.git') && !expected.test(path),
    );
  }

  temporaries() {
    return readdirSync(this.temporary, { recursive: true });
  }
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function foldersBelow(path, depth) {
  if (depth === 0) return [];
  try {
    const names = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return names.flatMap(({ name }) => [`${path}/${name}`, ...foldersBelow(`${path}/${name}`, depth - 1)]);
  } catch {
    return [];
  }
}
