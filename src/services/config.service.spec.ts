import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { aCaller } from '../../test/factories/access.js';
import { strict } from '../../test/factories/strict.js';
import { aTable } from '../../test/factories/routing.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { Activation, ConfigRepository, RecordedActivation } from '../adapters/store/config.repository.js';
import type { AuditEvent } from '../contracts/audit.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService } from './access.service.js';
import type { ConfigGuard, Objection } from './config-guard.js';
import { ConfigService, type ConfigSource, type RunnableConfig } from './config.service.js';

const KEY = aCaller({ id: 'admin', principal: 'api:admin' });
const T0 = new Date('2026-11-25T00:00:00Z');
const PROFILE = 'prod';

const aConfig = (hash: string, changes: Partial<RunnableConfig> = {}): RunnableConfig => ({
  hash,
  routing: aTable([{}], { hash: `table of ${hash}` }),
  guard: { enabled: true, requests: 100, maxChangedShare: 0.2 },
  file: '/etc/dagi/prod.yml',
  files: ['/etc/dagi/prod.yml'],
  document: { written: hash },
  warnings: [],
  ...changes,
});

const OBJECTION: Objection = {
  reasons: ['2 of 100 recorded requests were refused and would be allowed'],
  report: {
    hash: 'table of b',
    requests: 100,
    unchanged: 98,
    changed: 2,
    newly_allowed: 2,
    newly_denied: 0,
    undecidable: 0,
    groups: [],
    took_ms: 3,
  },
};

const away = (): AppError => new AppError('STORE_UNAVAILABLE');

/** What lies in the database, for as many processes as there are. */
class Record implements Pick<ConfigRepository, 'latest' | 'record' | 'confirm' | 'confirmedBy'> {
  readonly activations: RecordedActivation[] = [];
  readonly confirmations = new Map<string, string>();
  isAway = false;

  async latest(profile: string): Promise<RecordedActivation | undefined> {
    if (this.isAway) throw away();
    expect(profile).toBe(PROFILE);
    return this.activations.at(-1);
  }

  async record(activation: Activation): Promise<boolean> {
    if (this.isAway) throw away();
    if (this.activations.at(-1)?.hash === activation.hash) return false;
    this.activations.push({ ...activation, at: T0 });
    // Confirmations that are older than an activation do not count.
    this.confirmations.clear();
    return true;
  }

  async confirm(hash: string, by: string): Promise<void> {
    if (this.isAway) throw away();
    this.confirmations.set(hash, by);
  }

  async confirmedBy(hash: string): Promise<string | undefined> {
    if (this.isAway) throw away();
    return this.confirmations.get(hash);
  }
}

describe('ConfigService', () => {
  let stored: Record;
  let entries: AuditEvent[];
  /** What the file says; an error that reading it gives. */
  let file: RunnableConfig | AppError;
  let objection: jest.MockedFunction<ConfigGuard['objection']>;
  let watched: (readonly string[])[];
  let touch: () => void;

  beforeEach(() => {
    jest.useFakeTimers();
    stored = new Record();
    entries = [];
    watched = [];
    file = aConfig('a');
    objection = jest.fn<ConfigGuard['objection']>().mockResolvedValue(undefined);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const audited = (): string[] =>
    entries.map(
      ({ action, subject, actor }) => `${action} ${typeof subject === 'string' ? subject : subject.user} by ${actor}`,
    );

  function read(): RunnableConfig {
    if (file instanceof AppError) throw file;
    return file;
  }

  /** A process on that database, which reads the file. */
  function aProcess(
    source: Partial<ConfigSource<RunnableConfig>> = {},
    access: Partial<AccessService> = { requirePlatform: () => Promise.resolve({ actor: 'api:admin' }) },
  ): ConfigService {
    return new ConfigService(
      strict<ConfigSource<RunnableConfig>>('source', {
        profile: PROFILE,
        read,
        watch: (files, onChange) => {
          watched.push(files);
          touch = onChange;
        },
        close: () => Promise.resolve(),
        ...source,
      }),
      {
        repository: stored as unknown as ConfigRepository,
        guard: strict<ConfigGuard>('guard', { objection }),
        audit: strict<AuditRepository>('audit', {
          append: (_daoId, entry) => {
            if (stored.isAway) return Promise.reject(away());
            entries.push(entry);
            return Promise.resolve('x_0');
          },
        }),
        access: strict<AccessService>('access', access),
        log: pino({ level: 'silent' }),
      },
    );
  }

  /** A process that runs `a`. */
  async function running(): Promise<ConfigService> {
    const service = aProcess();
    await service.start();
    return service;
  }

  /** A process that runs `a` while `b` waits. */
  async function holding(): Promise<ConfigService> {
    const service = await running();
    file = aConfig('b');
    objection.mockResolvedValue(OBJECTION);
    await service.reload('test');
    return service;
  }

  describe('at the start', () => {
    it('runs the file and records it, the first time', async () => {
      const service = await running();
      expect(service.current().hash).toBe('a');
      expect(stored.activations).toMatchObject([
        {
          profile: PROFILE,
          hash: 'a',
          document: { written: 'a' },
          compiled: { hash: 'table of a' },
          confirmedBy: null,
        },
      ]);
      expect(audited()).toEqual(['config.activate a by api:system']);
      expect(watched).toEqual([['/etc/dagi/prod.yml']]);
      expect(objection).not.toHaveBeenCalled();
    });

    it('records nothing where the file is what ran last, and knows since when that runs', async () => {
      await running();
      const again = await running();
      expect(stored.activations).toHaveLength(1);
      expect(entries).toHaveLength(1);
      expect((await again.state(KEY)).active).toEqual({
        hash: 'a',
        table_hash: 'table of a',
        since: T0.toISOString(),
        file: '/etc/dagi/prod.yml',
      });
    });

    it('takes a changed file where nothing speaks against it', async () => {
      await running();
      const [old, fresh] = [aConfig('a'), aConfig('b')];
      file = fresh;
      const service = aProcess({ build: () => old });
      expect((await service.start()).hash).toBe('b');
      expect(objection.mock.calls).toEqual([[old, fresh]]);
      expect(stored.activations.map(({ hash }) => hash)).toEqual(['a', 'b']);
      expect(entries.at(-1)?.detail).toMatchObject({ from: 'a', to: 'b' });
    });

    it('runs the recorded profile where the guard objects, and lets the file wait', async () => {
      await running();
      file = aConfig('b');
      objection.mockResolvedValue(OBJECTION);
      const build = jest.fn(() => aConfig('a'));
      const service = aProcess({ build });
      expect((await service.start()).hash).toBe('a');
      expect(build.mock.calls).toEqual([[{ written: 'a' }]]);
      expect(await service.state(KEY)).toMatchObject({ active: { hash: 'a' }, waiting: { hash: 'b', ...OBJECTION } });
      expect(audited().at(-1)).toBe('config.hold b by api:system');
      expect(stored.activations).toHaveLength(1);
    });

    it('takes a changed file that was confirmed before the process ended', async () => {
      await running();
      await stored.confirm('b', 'api:admin');
      file = aConfig('b');
      objection.mockResolvedValue(OBJECTION);
      const service = aProcess({ build: () => aConfig('a') });
      expect((await service.start()).hash).toBe('b');
      expect(stored.activations.at(-1)).toMatchObject({ hash: 'b', confirmedBy: 'api:admin' });
    });

    it('asks nobody where only variables of the environment have changed', async () => {
      await running();
      file = aConfig('a with another variable');
      const service = aProcess({ build: read });
      expect((await service.start()).hash).toBe('a with another variable');
      expect(objection).not.toHaveBeenCalled();
    });

    it('compares with the recorded table where the recorded profile cannot be built any more', async () => {
      await running();
      file = aConfig('b');
      const build = (): never => {
        throw new AppError('CONFIG_INVALID', 'a variable is gone');
      };
      expect((await aProcess({ build }).start()).hash).toBe('b');
      expect(objection.mock.calls[0]?.[0].routing.hash).toBe('table of a');
      file = aConfig('c');
      objection.mockResolvedValue(OBJECTION);
      await expect(aProcess({ build }).start()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('would be allowed') as unknown,
      });
      expect(stored.activations.at(-1)?.hash).toBe('b');
    });

    it('fails with what is wrong with the file', async () => {
      file = new AppError('CONFIG_INVALID', '/etc/dagi/prod.yml:3:1: bad');
      await expect(async () => aProcess().start()).rejects.toThrow('prod.yml:3:1: bad');
      expect(() => aProcess().current()).toThrow(TypeError);
    });
  });

  describe('when the file changes', () => {
    it('takes a good one, watches what it is made of, and tells all who listen', async () => {
      const service = await running();
      const heard: string[] = [];
      service.onActivate(() => {
        throw new Error('a part that cannot follow');
      });
      service.onActivate(({ hash }) => heard.push(hash));
      file = aConfig('b', { files: ['/etc/dagi/prod.yml', '/etc/dagi/base.yml'] });
      touch();
      await service.reload('as well');
      expect(heard).toEqual(['b']);
      expect(watched.at(-1)).toEqual(['/etc/dagi/prod.yml', '/etc/dagi/base.yml']);
      expect(await service.state(KEY)).toMatchObject({ active: { hash: 'b' }, reloads: { applied: 1 } });
      expect(audited()).toEqual(['config.activate a by api:system', 'config.activate b by api:system']);
    });

    it('changes nothing where it says what runs', async () => {
      const service = await running();
      await service.reload('SIGHUP');
      expect((await service.state(KEY)).reloads).toEqual({ applied: 0, refused: 0, held: 0, unchanged: 1 });
      expect(service.overview()).toEqual(await service.state(KEY));
      expect(entries).toHaveLength(1);
    });

    it('keeps what runs where it is bad, and says so without paths and values', async () => {
      const service = await running();
      file = new AppError('CONFIG_INVALID', '/etc/dagi/prod.yml:4:7: routing_rules[0]: no provider "hidden"\nsecond');
      await service.reload('SIGHUP');
      expect(service.current().hash).toBe('a');
      const [warning] = service.warnings();
      expect(warning).toMatch(/^profile refused at \d{4}-.*: prod\.yml:4:7: routing_rules\[0\]: no provider "…"$/);
      const state = await service.state(KEY);
      expect(state).toMatchObject({ reloads: { refused: 1 }, refused: { reason: file.message } });
      expect(audited().at(-1)).toBe('config.refuse prod by api:system');
      file = aConfig('a');
      await service.reload('mended');
      expect(service.warnings()).toEqual([]);
    });

    it('goes by another process that has made it active already', async () => {
      const service = await running();
      await stored.record({ ...aConfig('b'), profile: PROFILE, compiled: aTable(), confirmedBy: null });
      file = aConfig('b');
      objection.mockResolvedValue(OBJECTION);
      await service.reload('SIGHUP');
      expect(service.current().hash).toBe('b');
      expect(stored.activations).toHaveLength(2);
    });

    it('does not run what could not be recorded, and looks again', async () => {
      const service = await running();
      stored.isAway = true;
      file = aConfig('b');
      await service.reload('SIGHUP');
      expect(service.current().hash).toBe('a');
      expect(service.warnings()).toEqual([expect.stringContaining('could not be checked')]);
      stored.isAway = false;
      await jest.advanceTimersByTimeAsync(5_000);
      expect(service.current().hash).toBe('b');
      expect(service.warnings()).toEqual([]);
    });

    it('reads once more for all changes that come while one is looked at', async () => {
      const counted = jest.fn(read);
      const service = aProcess({ read: counted });
      await service.start();
      const order: string[] = [];
      service.onActivate(({ hash }) => order.push(hash));
      const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
      objection.mockReturnValueOnce(held);
      file = aConfig('b');
      const first = service.reload('one');
      await jest.advanceTimersByTimeAsync(0);
      file = aConfig('c');
      const later = [service.reload('two'), service.reload('three'), service.reload('four')];
      release(undefined);
      await Promise.all([first, ...later]);
      expect(order).toEqual(['b', 'c']);
      expect(counted).toHaveBeenCalledTimes(3);
    });

    it('does nothing any more once it is closed', async () => {
      const service = await holding();
      await service.close();
      file = aConfig('c');
      objection.mockResolvedValue(undefined);
      await stored.confirm('b', 'somebody');
      await service.reload('late');
      await jest.advanceTimersByTimeAsync(60_000);
      expect(service.current().hash).toBe('a');
    });
  });

  describe('what waits', () => {
    it('is told with its reasons, its report and the remedy', async () => {
      const service = await holding();
      expect(service.current().hash).toBe('a');
      expect(await service.state(KEY)).toMatchObject({
        waiting: { hash: 'b', reasons: OBJECTION.reasons, report: OBJECTION.report },
        reloads: { applied: 0, refused: 0, held: 1, unchanged: 0 },
      });
      expect(service.warnings()).toEqual([expect.stringContaining('dagi config apply --confirm b')]);
      expect(audited().at(-1)).toBe('config.hold b by api:system');
      expect(entries.at(-1)?.detail).toMatchObject({ from: 'a', to: 'b', newly_allowed: 2 });
    });

    it('becomes active when it is confirmed by its hash', async () => {
      const service = await holding();
      const state = await service.apply(KEY, 'b');
      expect(state).toMatchObject({ active: { hash: 'b' }, waiting: null, reloads: { applied: 1 }, warnings: [] });
      expect(audited().slice(-2)).toEqual(['config.apply b by api:admin', 'config.activate b by api:system']);
      expect(entries.at(-2)?.detail).toEqual({ from: 'a', to: 'b' });
      expect(stored.activations.at(-1)).toMatchObject({ hash: 'b', confirmedBy: 'api:admin' });
    });

    it.each(['a', 'c', ''])('is not confirmed by another hash: %j', async (hash) => {
      const service = await holding();
      await expect(service.apply(KEY, hash)).rejects.toMatchObject({ code: 'CONFIG_NOT_WAITING', status: 409 });
      expect(service.current().hash).toBe('a');
      expect(stored.confirmations.size).toBe(0);
    });

    it('is not confirmed once the file says something else', async () => {
      const service = await holding();
      file = aConfig('c');
      await service.reload('SIGHUP');
      expect((await service.state(KEY)).waiting?.hash).toBe('c');
      await expect(service.apply(KEY, 'b')).rejects.toMatchObject({ code: 'CONFIG_NOT_WAITING' });
      file = new AppError('CONFIG_INVALID', 'bad');
      await service.reload('SIGHUP');
      await expect(service.apply(KEY, 'c')).rejects.toMatchObject({ code: 'CONFIG_NOT_WAITING' });
      file = aConfig('a');
      await service.reload('SIGHUP');
      expect(await service.state(KEY)).toMatchObject({ active: { hash: 'a' }, waiting: null, refused: null });
    });

    it('is on record once, however often it is looked at', async () => {
      const service = await holding();
      await service.reload('SIGHUP');
      expect(audited().filter((line) => line.startsWith('config.hold'))).toHaveLength(1);
    });

    it('follows a confirmation in another process within two seconds', async () => {
      const [one, other] = [await holding(), aProcess({ build: () => aConfig('a') })];
      await other.start();
      await one.apply(KEY, 'b');
      expect(other.current().hash).toBe('a');
      await jest.advanceTimersByTimeAsync(2_000);
      expect(other.current().hash).toBe('b');
      expect(stored.activations).toHaveLength(2);
    });

    it('follows it also when the database was away for a while', async () => {
      const service = await holding();
      stored.isAway = true;
      await jest.advanceTimersByTimeAsync(10_000);
      expect(service.current().hash).toBe('a');
      stored.isAway = false;
      await stored.confirm('b', 'api:admin');
      await jest.advanceTimersByTimeAsync(2_000);
      expect(service.current().hash).toBe('b');
    });

    it('is nobody’s to see, confirm or replace without platform.admin', async () => {
      const denied = new AppError('RBAC_PERMISSION_DENIED');
      const service = aProcess({}, { requirePlatform: () => Promise.reject(denied) });
      await service.start();
      file = aConfig('b');
      for (const call of [service.state(KEY), service.apply(KEY, 'b'), service.reloadFor(KEY)]) {
        await expect(call).rejects.toBe(denied);
      }
      expect(service.current().hash).toBe('a');
    });
  });
});
