import { fromBuild } from './parts.mjs';

/**
 * DAOs beside the seeded one, with plain members, written into the product's database: there is no way to create them
 * over HTTP yet.
 * @param {string} databaseUrl of PostgreSQL, migrated
 * @param {Map<string, string[]>} daos members by DAO
 */
export async function seedDaos(databaseUrl, daos) {
  const { DaosRepository } = await fromBuild('src/adapters/store/daos.repository.js');
  const { openPostgres } = await fromBuild('src/adapters/store/database.js');
  const { loadDefaultRoles } = await fromBuild('config/seed.js');
  const database = openPostgres(databaseUrl, { poolSize: 1 });
  const repository = new DaosRepository(database);
  for (const [id, ids] of daos) {
    const members = Object.fromEntries(ids.map((member) => [member, ['member']]));
    await repository.create({ id, name: `The ${id}`, facts: {}, members }, loadDefaultRoles());
  }
  await database.close();
}
