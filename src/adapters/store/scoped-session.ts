import { Mutex } from 'async-mutex';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type PGliteDialect,
  type TransactionSettings,
} from 'kysely';
import { PLATFORM_ROLE, roleHere, TENANT_ROLE, type Scope } from './tenants.js';

/** Whoever asks what every call waits for is served before others. */
const FIRST = 1;
const LATER = 0;

/**
 * The one session of the embedded database, shared by handles of different scopes. Whoever takes it gets it alone, in the
 * scope of its handle.
 *
 * The session is a superuser underneath and could leave the role again: this guards against mistakes, not against
 * somebody who can run statements of their own.
 */
export class ScopedSession {
  private readonly mutex = new Mutex();
  private readonly driver: Driver;
  /** Undefined while it is not known. */
  private scope: Scope | undefined;

  constructor(private readonly dialect: PGliteDialect) {
    this.driver = dialect.createDriver();
  }

  async open(): Promise<void> {
    await this.driver.init();
  }

  async close(): Promise<void> {
    await this.driver.destroy();
  }

  /** For a handle of this scope. */
  in(scope: Scope, { isVital = false } = {}): Dialect {
    return this.handle((connection) => this.enter(connection, scope), isVital ? FIRST : LATER);
  }

  /** For a handle that does not care for the scope, as long as there is one, and asks what calls wait for. */
  inAny(): Dialect {
    return this.handle(async (connection) => {
      if (this.scope === undefined) await this.enter(connection, null);
    }, FIRST);
  }

  /** For a handle that may change the schema. */
  asOwner(): Dialect {
    return this.handle(async (connection) => {
      this.scope = undefined;
      await connection.executeQuery(CompiledQuery.raw('reset role'));
    });
  }

  private handle(enter: (connection: DatabaseConnection) => Promise<void>, priority = LATER): Dialect {
    const take = (): Promise<() => void> => this.mutex.acquire(priority);
    return {
      createDriver: () => new SessionDriver(this.driver, take, enter),
      createAdapter: () => this.dialect.createAdapter(),
      createQueryCompiler: () => this.dialect.createQueryCompiler(),
      createIntrospector: (db) => this.dialect.createIntrospector(db),
    };
  }

  private async enter(connection: DatabaseConnection, scope: Scope): Promise<void> {
    if (this.scope === scope) return;
    this.scope = undefined;
    const role = roleHere(scope === null ? PLATFORM_ROLE : TENANT_ROLE);
    const text = `select set_config('role', ${role}, false), set_config('dagi.dao', $1, false)`;
    await connection.executeQuery(CompiledQuery.raw(text, [scope ?? '']));
    this.scope = scope;
  }
}

/** What one handle sees of the shared session. */
class SessionDriver implements Driver {
  private release: (() => void) | undefined;

  constructor(
    private readonly inner: Driver,
    private readonly take: () => Promise<() => void>,
    private readonly enter: (connection: DatabaseConnection) => Promise<void>,
  ) {}

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const release = await this.take();
    try {
      const connection = await this.inner.acquireConnection();
      await this.enter(connection);
      this.release = release;
      return connection;
    } catch (error) {
      release();
      throw error;
    }
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const { release } = this;
    await this.inner.releaseConnection(connection);
    release?.();
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return this.inner.beginTransaction(connection, settings);
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.inner.commitTransaction(connection);
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.inner.rollbackTransaction(connection);
  }

  /** The session belongs to all handles: `ScopedSession.close` ends it. */
  destroy(): Promise<void> {
    return Promise.resolve();
  }
}
