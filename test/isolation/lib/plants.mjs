// Mistakes to be found: repositories that read what is everybody's and forget to say whose it is meant to be.
import { sql } from 'kysely';

/** By name: what is put in place of which method. */
const PLANTS = {
  /** A list of members without its filter. */
  members: ({ members }, { all }) => {
    const page = members.page.bind(members);
    members.page = async (daoId, filter) => {
      const { rows } = await sql`select id, name, roles, version, created_at, '{}'::text[] as user_ids from members
        where id > ${filter.after} order by id limit ${filter.limit}`.execute(all);
      return rows.length > 0 ? rows : page(daoId, filter);
    };
  },
  /** Kept answers without theirs: one DAO is given what another one was told. */
  answers: ({ cache }, { all }) => {
    cache.get = async ({ rule }) => {
      const { rows } = await sql`select provider, answer as text, finish_reason as "finishReason", 0 as "ageMs"
        from answer_cache where rule = ${rule} order by created_at desc limit 1`.execute(all);
      return rows[0];
    };
  },
  /** Rights of a person, whatever DAO they have them in. */
  rights: ({ access }, { all }) => {
    const byUser = access.byUser.bind(access);
    access.byUser = async (daoId, userId) => {
      const person = await byUser(daoId, userId);
      const { rows } = await sql`select r.name, r.entitlements from identities i
        join members m on m.id = i.member_id join roles r on r.name = any (m.roles)
        where i.user_id = ${userId} order by r.dao_id, r.name`.execute(all);
      return person && rows.length > 0 ? { ...person, roles: rows } : person;
    };
  },
  /** Usage of everybody. */
  usage: ({ usage }) => {
    const report = usage.report.bind(usage);
    usage.report = (filter) => report({ ...filter, daoId: undefined });
  },
  /** A request, whoever's it is. */
  requests: ({ requests }) => {
    const find = requests.find.bind(requests);
    requests.find = (id) => find(id, null);
  },
  /** A proposal by its number alone. */
  proposals: ({ proposals }, { all }) => {
    const find = proposals.find.bind(proposals);
    proposals.find = async (daoId, n) => {
      const { rows } = await sql`select dao_id from proposals where n = ${n} order by dao_id desc limit 1`.execute(all);
      return find(rows[0]?.dao_id ?? daoId, n);
    };
  },
  /** Keys of all DAOs. */
  keys: ({ keys }) => {
    const list = keys.list.bind(keys);
    keys.list = (_daoId, ...rest) => list(null, ...rest);
  },
  /** A crew by its id alone. */
  crews: ({ crews }, { all }) => {
    const find = crews.find.bind(crews);
    crews.find = async (daoId, id) => {
      const { rows } = await sql`select dao_id from crews where id = ${id} order by dao_id desc limit 1`.execute(all);
      return find(rows[0]?.dao_id ?? daoId, id);
    };
  },
  /** What runs of all DAOs ask. */
  gates: ({ crewGates }, { all }) => {
    const open = crewGates.open.bind(crewGates);
    crewGates.open = async () => {
      const { rows } = await sql`select id from daos order by id`.execute(all);
      return (await Promise.all(rows.map(({ id }) => open(id)))).flat();
    };
  },
  /** One workspace for all. */
  files: (_repositories, _database, workspaces) => {
    const of = workspaces.of.bind(workspaces);
    workspaces.of = () => of('everybody');
  },
};

export const PLANT_NAMES = Object.keys(PLANTS);

/** Makes a mistake in the repositories of a world, or in its workspaces, if one is named. */
export function plant(name, repositories, database, workspaces) {
  if (name !== undefined) PLANTS[name](repositories, database, workspaces);
}
