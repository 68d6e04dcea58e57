import type { Logger } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import type { ConfigState } from '../contracts/config-state.js';
import { SYSTEM_PRINCIPAL } from '../contracts/ids.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { ConfigRepository, RecordedActivation } from '../adapters/store/config.repository.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService } from './access.service.js';
import type { ConfigGuard, Guarded, Objection } from './config-guard.js';
import { configWarnings, type Refused } from './config-warnings.js';

/** A configuration as far as its life is concerned. */
export interface RunnableConfig extends Guarded {
  /** Of the whole profile, as written. */
  hash: string;
  /** The profile's file. */
  file: string;
  /** Every file that it was read from. */
  files: readonly string[];
  /** As written, with what it extends: enough to build it again. */
  document: unknown;
  warnings: readonly string[];
}

/** Where configurations come from. Errors of reading and building are AppErrors `CONFIG_INVALID`. */
export interface ConfigSource<C extends RunnableConfig> {
  /** Which profile: its name, or its file. */
  readonly profile: string;
  read(): C;
  /** Builds what was recorded, in the present environment. */
  build(document: unknown): C;
  /** Calls back when one of these files has changed; replaces what was watched before. */
  watch(files: readonly string[], onChange: () => void): void;
  close(): Promise<void>;
}

export interface ConfigDeps {
  repository: ConfigRepository;
  guard: ConfigGuard;
  audit: AuditRepository;
  access: AccessService;
  log: Logger;
}

/** A configuration that runs, and since when. */
interface Active<C> {
  config: C;
  since: Date;
}

/** A configuration that somebody has to confirm first. */
interface Waiting<C> extends Objection {
  config: C;
  since: Date;
}

/** Written as a method, so that a service of a richer configuration may stand where any will do. */
type Listener<C> = { told(config: C): void }['told'];

/** How often it is asked whether somebody confirmed what waits, in another process perhaps, in milliseconds. */
const CONFIRMED_EVERY_MS = 1_000;
/** A change that could not be checked for want of the database is looked at again after this, in milliseconds. */
const AGAIN_MS = 5_000;

/**
 * The running configuration: read at the start, on every change of its files and on demand, guarded, recorded, and
 * followed by those who listen. What is not good enough to run leaves the running one in place.
 */
export class ConfigService<C extends RunnableConfig = RunnableConfig> {
  private active: Active<C> | undefined;
  private waiting: Waiting<C> | undefined;
  private refused: Refused | undefined;
  private unchecked = false;
  private readonly reloads = { applied: 0, refused: 0, held: 0, unchanged: 0 };
  private readonly listeners: Listener<C>[] = [];
  /** Changes are made one after the other. */
  private last: Promise<unknown> = Promise.resolve();
  /** A reload that has not begun yet: whoever wants one now gets this one. */
  private next: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly source: ConfigSource<C>,
    private readonly deps: ConfigDeps,
  ) {}

  /** What runs. @throws before `start` */
  current(): C {
    return this.running().config;
  }

  /** Tells of every later activation. A listener that fails keeps no other from it. */
  onActivate(listener: Listener<C>): void {
    this.listeners.push(listener);
  }

  /**
   * Chooses what to run: what the file says, or the last active profile where the guard objects to the difference.
   * @param loaded the file, where it was read already
   * @throws AppError `CONFIG_INVALID`, `STORE_UNAVAILABLE`
   */
  async start(loaded: C = this.source.read()): Promise<C> {
    const last = await this.deps.repository.latest(this.source.profile);
    if (last && last.hash !== loaded.hash) await this.resume(last, loaded);
    else await this.activate(loaded, null, last?.at);
    this.watch(loaded.files);
    return this.current();
  }

  /** Reads the files again. Never rejects: what went wrong is logged, counted and told by `warnings`. */
  reload(reason: string): Promise<void> {
    this.next ??= this.inOrder(async () => {
      this.next = undefined;
      await this.readAgain(reason);
    });
    return this.next;
  }

  /** What an operator should know, fit for everybody's eyes: `/ready` is public. */
  warnings(): string[] {
    const { active, refused, waiting, unchecked } = this;
    return configWarnings({ active: active?.config, refused, waiting, unchecked });
  }

  /** What runs, for whoever started the process: nobody is asked who they are. */
  overview(): ConfigState {
    return this.describe();
  }

  /** @throws AppError `RBAC_PERMISSION_DENIED` without `platform.admin` */
  async state(key: CallerKey): Promise<ConfigState> {
    await this.deps.access.requirePlatform(key);
    return this.describe();
  }

  /** Like `reload`, for a caller. @throws AppError `RBAC_PERMISSION_DENIED` without `platform.admin` */
  async reloadFor(key: CallerKey): Promise<ConfigState> {
    const { actor } = await this.deps.access.requirePlatform(key);
    await this.reload(`asked for by ${actor}`);
    return this.describe();
  }

  /**
   * Makes active what waits, if it is what the caller means.
   * @throws AppError `CONFIG_NOT_WAITING`, `RBAC_PERMISSION_DENIED`, `STORE_UNAVAILABLE`
   */
  async apply(key: CallerKey, hash: string): Promise<ConfigState> {
    const { actor } = await this.deps.access.requirePlatform(key);
    await this.confirm(hash, actor);
    return this.describe();
  }

  /**
   * Confirms what waits, on the record, and makes it active. Other processes that hold the same follow by themselves.
   * @throws AppError `CONFIG_NOT_WAITING`, `STORE_UNAVAILABLE`
   */
  confirm(hash: string, actor: string): Promise<void> {
    return this.inOrder(async () => {
      const { waiting } = this;
      if (waiting?.config.hash !== hash) {
        throw new AppError('CONFIG_NOT_WAITING', undefined, { waiting: waiting?.config.hash ?? null });
      }
      await this.deps.repository.confirm(hash, actor);
      await this.record('config.apply', hash, { from: this.running().config.hash, to: hash }, actor);
      await this.take(waiting.config, actor, 'confirmed');
    });
  }

  async close(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.source.close();
    await this.last;
  }

  private running(): Active<C> {
    if (!this.active) throw new TypeError('no configuration runs before start()');
    return this.active;
  }

  private inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }

  /** Goes on with the last active profile, and lets the file have its way if nothing speaks against it. */
  private async resume(last: RecordedActivation, loaded: C): Promise<void> {
    const recorded = this.rebuilt(last);
    if (recorded && recorded.hash !== loaded.hash) this.active = { config: recorded, since: last.at };
    // The same file under other variables of the environment: whoever starts the process has set them.
    if (recorded?.hash === loaded.hash) return this.activate(loaded, null);
    const before = recorded ?? { routing: last.compiled, guard: loaded.guard };
    const confirmedBy = await this.deps.repository.confirmedBy(loaded.hash, this.source.profile);
    const objection = confirmedBy === undefined ? await this.deps.guard.objection(before, loaded) : undefined;
    if (!objection) return this.activate(loaded, confirmedBy ?? null);
    if (recorded) return this.hold(loaded, objection);
    throw new AppError(
      'CONFIG_INVALID',
      `${loaded.file} has changed since it was last active (${objection.reasons.join('; ')}), and the last active ` +
        'profile cannot be built any more. Put the former file back, or start with a copy of the new one under another name.',
    );
  }

  private rebuilt({ document, hash }: RecordedActivation): C | undefined {
    try {
      return this.source.build(document);
    } catch (error) {
      this.deps.log.warn({ hash, err: error }, 'the last active profile cannot be built any more');
      return undefined;
    }
  }

  private async readAgain(reason: string): Promise<void> {
    if (this.stopped) return;
    try {
      const candidate = this.source.read();
      this.watch(candidate.files);
      await this.consider(candidate, reason);
      this.unchecked = false;
    } catch (error) {
      this.unchecked = !(error instanceof AppError && error.code === 'CONFIG_INVALID');
      if (this.unchecked) this.lookAgain(error);
      else await this.refuse(error as AppError);
    }
  }

  /** Takes a profile as it was read just now, or keeps it waiting. */
  private async consider(candidate: C, reason: string): Promise<void> {
    const { hash } = candidate;
    const { config } = this.running();
    const { repository, guard } = this.deps;
    if (hash === config.hash) {
      this.reloads.unchanged += 1;
      this.forget();
      return;
    }
    const confirmedBy = await repository.confirmedBy(hash, this.source.profile);
    const isTaken = confirmedBy !== undefined || (await this.isActiveElsewhere(hash));
    const objection = isTaken ? undefined : await guard.objection(config, candidate);
    if (!objection) return this.take(candidate, confirmedBy ?? null, reason);
    this.reloads.held += 1;
    await this.hold(candidate, objection);
  }

  private async isActiveElsewhere(hash: string): Promise<boolean> {
    return (await this.deps.repository.latest(this.source.profile))?.hash === hash;
  }

  private async take(config: C, confirmedBy: string | null, reason: string): Promise<void> {
    await this.activate(config, confirmedBy, undefined, reason);
    this.reloads.applied += 1;
  }

  /** Records, then runs. @param since when it became active, if that is on record already */
  private async activate(config: C, confirmedBy: string | null, since?: Date, reason = 'start'): Promise<void> {
    const { repository, log } = this.deps;
    const { hash, document, routing: compiled } = config;
    const from = this.active?.config.hash ?? null;
    if (!since && (await repository.record({ profile: this.source.profile, hash, document, compiled, confirmedBy }))) {
      await this.record('config.activate', hash, { from, to: hash, reason, confirmed_by: confirmedBy });
    }
    this.active = { config, since: since ?? new Date() };
    this.forget();
    log.info({ from, to: hash, reason, confirmed_by: confirmedBy }, 'configuration active');
    this.listeners.forEach((listener) => {
      this.tell(listener, config);
    });
  }

  private tell(listener: Listener<C>, config: C): void {
    try {
      listener(config);
    } catch (error) {
      this.deps.log.error({ err: error, to: config.hash }, 'a part of the process does not follow the configuration');
    }
  }

  private async hold(config: C, objection: Objection): Promise<void> {
    const [from, to] = [this.running().config.hash, config.hash];
    const { reasons, report } = objection;
    const { changed, newly_allowed } = report;
    if (this.waiting?.config.hash !== to) {
      await this.record('config.hold', to, { from, to, reasons, changed, newly_allowed });
    }
    this.forget();
    this.waiting = { ...objection, config, since: new Date() };
    this.deps.log.warn({ from, to, reasons, changed, newly_allowed }, 'configuration waits to be confirmed');
    this.after(CONFIRMED_EVERY_MS, () => this.askWhetherConfirmed());
  }

  private async refuse({ message }: AppError): Promise<void> {
    this.reloads.refused += 1;
    this.forget();
    this.refused = { at: new Date(), reason: message };
    const from = this.running().config.hash;
    this.deps.log.error({ from, reason: message }, 'configuration refused; the running one stays');
    await this.record('config.refuse', this.source.profile, { from, reason: message }).catch((error: unknown) => {
      this.deps.log.warn({ err: error }, 'a refused configuration is not on record');
    });
  }

  private lookAgain(error: unknown): void {
    this.deps.log.error({ err: error }, 'a change of the configuration could not be checked; it is looked at again');
    this.after(AGAIN_MS, () => this.reload('looked at again'));
  }

  /** Follows a confirmation that another process has heard, or the other process itself. */
  private askWhetherConfirmed(): Promise<void> {
    return this.inOrder(async () => {
      const { waiting } = this;
      if (!waiting || this.stopped) return;
      const { hash } = waiting.config;
      try {
        const confirmedBy = await this.deps.repository.confirmedBy(hash, this.source.profile);
        if (confirmedBy !== undefined || (await this.isActiveElsewhere(hash))) {
          await this.take(waiting.config, confirmedBy ?? null, 'confirmed elsewhere');
        }
      } catch (error) {
        this.deps.log.debug({ err: error }, 'it could not be asked whether what waits was confirmed');
      }
      if (this.waiting) this.after(CONFIRMED_EVERY_MS, () => this.askWhetherConfirmed());
    });
  }

  /** One thing at a time is waited for: what a later change makes of it comes in its place. */
  private after(ms: number, work: () => Promise<void>): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void work(), ms).unref();
  }

  /** Nothing waits or was refused any more: the files say something else by now. */
  private forget(): void {
    clearTimeout(this.timer);
    this.waiting = undefined;
    this.refused = undefined;
  }

  private watch(files: readonly string[]): void {
    this.source.watch(files, () => {
      void this.reload('the file has changed');
    });
  }

  private async record(
    action: string,
    subject: string,
    detail: Readonly<Record<string, unknown>>,
    actor = SYSTEM_PRINCIPAL,
  ): Promise<void> {
    await this.deps.audit.append(null, { actor, action, subject, detail });
  }

  private describe(): ConfigState {
    const { config, since } = this.running();
    const { waiting, refused } = this;
    return {
      active: { hash: config.hash, table_hash: config.routing.hash, since: since.toISOString(), file: config.file },
      waiting: waiting
        ? {
            hash: waiting.config.hash,
            since: waiting.since.toISOString(),
            reasons: waiting.reasons,
            report: waiting.report,
          }
        : null,
      refused: refused ? { at: refused.at.toISOString(), reason: refused.reason } : null,
      unchecked: this.unchecked,
      reloads: { ...this.reloads },
      warnings: this.warnings(),
    };
  }
}
