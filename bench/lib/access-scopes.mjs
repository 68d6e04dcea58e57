// Other ways to reach a DAO's rows than the product's handles, in their shape, so that its repositories run over them.
import { CompiledQuery, Kysely } from 'kysely';

/** Connections of the owner, whom no policy binds. */
export function unboundOn(dialect, db = new Kysely({ dialect })) {
  return { of: () => db, all: db, vital: db };
}

/**
 * Each statement in a transaction of its own that first sets the scope.
 * @param {string} [role] SQL for its name: set with each statement too, where connections do not have it
 */
export function localOn(dialect, role) {
  const handles = new Map();
  return {
    of: (dao) => {
      const known = handles.get(dao) ?? new Kysely({ dialect: eachInTransaction(dialect, dao, role) });
      handles.set(dao, known);
      return known;
    },
  };
}

function eachInTransaction(dialect, scope, role) {
  return {
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createDriver: () => scoping(dialect.createDriver(), scope, role),
  };
}

function scoping(driver, scope, role) {
  return {
    init: () => driver.init(),
    acquireConnection: async () => {
      const inner = await driver.acquireConnection();
      return { inner, executeQuery: (query) => inTransaction(inner, query, scope, role) };
    },
    releaseConnection: ({ inner }) => driver.releaseConnection(inner),
    destroy: () => driver.destroy(),
  };
}

async function inTransaction(connection, query, scope, role) {
  const run = (text, ...values) => connection.executeQuery(CompiledQuery.raw(text, values));
  await run('begin');
  if (role) await run(`select set_config('role', ${role}, true)`);
  await run(`select set_config('dagi.dao', $1, true)`, scope);
  const result = await connection.executeQuery(query);
  await run('commit');
  return result;
}
