import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PLANTED, WRITES_LATER } from './tool-work.mjs';

/** A process in a sandbox, and its group, must be gone by then after the last request has ended, in milliseconds. */
const GONE_MS = 15_000;
const TEMPORARY = /(^|\/)\.dagi-[^/]+\.tmp$/;
/** After an hour a write removes what killed ones have left in its folder. */
const AGED_S = 2 * 3_600;

/** What a killed run may leave behind: processes, control groups, files. */
export class Leftovers {
  constructor(stage) {
    this.stage = stage;
  }

  get workspace() {
    return this.stage.workspace;
  }

  /** @returns a sentence for each thing that is left */
  async faults() {
    const limit = Date.now() + GONE_MS;
    while (this.busy() && Date.now() < limit) await sleep(250);
    this.halfWritten = this.strangers().filter((path) => TEMPORARY.test(path)).length;
    const [processes, groups] = [this.processes(), this.groups()];
    await this.letAnHourPass();
    const files = [...this.strangers(), ...readdirSync(this.stage.temporary, { recursive: true })];
    this.found = { processes, groups, files };
    return Object.entries(this.found).flatMap(([kind, list]) => list.map((one) => `${kind} left behind: ${one}`));
  }

  summary() {
    const { processes, groups, files } = this.found;
    return `writes killed halfway, seen by no tool: ${this.halfWritten}, removed by writes of a worker an hour later\nleft behind: processes of a sandbox ${processes.length}, control groups ${groups.length}, files ${files.length}`;
  }

  /** What is left is made old; then a new worker writes into each of the folders. */
  async letAnHourPass() {
    const old = Date.now() / 1_000 - AGED_S;
    for (const path of this.strangers()) utimesSync(join(this.workspace, path), old, old);
    await this.stage.strike('devtools', 0);
    for (const [index, path] of WRITES_LATER.entries()) {
      const metadata = { user_id: 'tg:222', tool: 'fs_write', params: { path, content: 'late' } };
      const id = await this.stage.client.submit({ marker: `late${index}x`, mode: 'devtools', metadata });
      await this.stage.client.outcome(id, Date.now() + 60_000, 'tg:222');
    }
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
    const owned = (name) => this.stage.pids.has(Number(/^dagi-run-(\d+)-\d+$/.exec(name)?.[1]));
    return foldersBelow('/sys/fs/cgroup', 4).filter((path) => owned(path.split('/').at(-1)));
  }

  /** What lies in the workspace and was neither planted nor asked for. */
  strangers() {
    const expected = new RegExp(`^(${PLANTED.join('|')})`);
    return readdirSync(this.workspace, { recursive: true }).filter(
      (path) => !path.startsWith('repository/.git') && !expected.test(path),
    );
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
