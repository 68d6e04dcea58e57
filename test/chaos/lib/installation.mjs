import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { obtainModel } from '../../support/parts.mjs';
import { TestPostgres } from '../../support/postgres.ts';
import { KEY } from './member.mjs';
import { apiVictim, temporalVictim, workerVictim } from './victim.mjs';

/** An installation on PostgreSQL in a folder of its own: whatever it is made of can be killed, and comes back where it was. */
export class Installation {
  closers = [];

  /**
   * Begins one: a database, and a Temporal that is not started yet.
   * @param name of the run
   * @param options of PostgreSQL
   */
  async prepare(name, options = { fsync: true }) {
    this.folder = mkdtempSync(join(tmpdir(), `dagi-chaos-${name}-`));
    mkdirSync(join(this.folder, 'home'));
    this.log = createWriteStream(join(this.folder, 'processes.log'));
    this.postgres = await TestPostgres.start(options);
    this.closers.push(() => this.postgres.stop());
    this.model = await obtainModel();
    const { address, victim } = await temporalVictim(this.folder, this.log);
    this.temporal = victim;
    this.temporalAddress = address;
  }

  /** The database as something to be killed. */
  get database() {
    const { postgres } = this;
    return { name: 'database', kill: () => postgres.kill(), start: () => postgres.restart() };
  }

  /** What every process of it is told. */
  environment(more = {}) {
    return {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DAGI_HOME: join(this.folder, 'home'),
      DAGI_CACHE: resolve(process.env.DAGI_CACHE || join(import.meta.dirname, '../../../var/cache')),
      DAGI_ADMIN_KEY: KEY,
      DATABASE_URL: this.postgres.url,
      TEMPORAL_ADDRESS: this.temporalAddress,
      EMBEDDED_MODEL: this.model,
      ...more,
    };
  }

  /** Writes the profile of its processes. @returns the arguments that name it */
  profile(text) {
    const file = join(this.folder, 'chaos.yml');
    writeFileSync(file, text);
    return ['--profile', file];
  }

  /** `dagi api`. @returns it, and its URL */
  api(args, env = this.environment()) {
    return apiVictim(args, { env, log: this.log });
  }

  /** `dagi worker`. @param options `ready`: when it is, other than by what it says */
  worker(name, args, { env = this.environment(), ...options } = {}) {
    return workerVictim(name, args, { env, log: this.log, ...options });
  }

  /** Starts a process, which is stopped in the end. */
  async start(victim) {
    this.closers.push(() => victim.stop());
    await victim.start();
  }

  async close() {
    for (const close of this.closers.reverse()) await close().catch(() => undefined);
    this.log?.end();
    process.stdout.write(`what the processes wrote: ${join(this.folder, 'processes.log')}\n`);
    rmSync(join(this.folder, 'temporal.db'), { force: true });
    rmSync(join(this.folder, 'home'), { recursive: true, force: true });
  }
}
