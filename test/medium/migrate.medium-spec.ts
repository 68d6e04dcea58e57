import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { packagePath } from '../../config/paths.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { openPostgres, type Database, type Db } from '../../src/adapters/store/database.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';
import { memberByUser } from '../../src/adapters/store/members.repository.js';
import { chainHash, type AuditEntry, type AuditRow } from '../../src/contracts/audit.js';
import type { Member } from '../../src/contracts/dao.js';
import { freshDatabase } from '../support/postgres.js';
import { until } from '../support/until.js';
import { administratorOf, EMPTY_DATABASES, type Fresh } from './databases.js';

/** Rows of a chain that is longer than the others. */
const MANY = 400;
const OLD = ['0001-foundation', '0002-routing-under-load'];
const NEW = [
  '0003-people-and-the-record',
  '0004-people-columns',
  '0005-proposals',
  '0006-clients-conversations',
  '0007-finding-keys',
  '0008-devtools',
  '0009-crews',
  '0010-proposal-reviews',
  '0011-open-crew-runs',
  '0012-dialogs',
  '0013-conversations',
  '0014-news',
  '0015-discord',
  '0016-bounds',
  '0017-dialog-records',
  '0018-mcp',
];
const ALL = [...OLD, ...NEW];
const TABLES = [
  'answer_cache',
  'api_keys',
  'audit',
  'audit_chains',
  'audit_heads',
  'ballots',
  'chats',
  'config_activations',
  'config_confirmations',
  'crew_decisions',
  'crew_gates',
  'crew_runs',
  'crew_tasks',
  'crew_versions',
  'crews',
  'daos',
  'delegations',
  'deliveries',
  'dialogs',
  'electors',
  'feedback',
  'identities',
  'inbox',
  'interactions',
  'invitations',
  'members',
  'news',
  'offers',
  'pending',
  'platform_grants',
  'preferences',
  'proposals',
  'rate_limits',
  'refusals',
  'replies',
  'reply_parts',
  'requests',
  'roles',
  'run_chats',
  'secrets',
  'shared_states',
  'spaces',
  'turns',
  'usage_daily',
];

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each(EMPTY_DATABASES)('migrations on %s', (_name, open) => {
  let fresh: Fresh;

  afterEach(() => fresh.drop());

  /** All tables, whoever may use them. */
  async function tables(db: Db = fresh.database.all): Promise<string[]> {
    const query = sql<{ name: string }>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname not like 'kysely%' order by 1`;
    return (await query.execute(db)).rows.map(({ name }) => name);
  }

  it('should bring an empty database up to date, once', async () => {
    fresh = await open();
    expect(await fresh.database.migrate()).toEqual(ALL);
    expect(await tables()).toEqual(TABLES);
    expect(await fresh.database.migrate()).toEqual([]);
  });

  it('should stand being called several times at once', async () => {
    fresh = await open();
    const { database } = fresh;
    const applied = await Promise.all([database.migrate(), database.migrate(), database.migrate()]);
    expect(applied.flat()).toEqual(ALL);
    expect(await tables()).toEqual(TABLES);
  });

  it('should say so when the database is not its own to change', async () => {
    fresh = await open(async (owner) => {
      await sql`create table daos (id int)`.execute(owner);
    });
    await expect(fresh.database.migrate()).rejects.toMatchObject({ code: 'SETUP_FAILED' });
    expect(await tables()).toEqual(['daos']);
  });
});

describe.each(EMPTY_DATABASES)('a database of before members had ids of their own, on %s', (_name, open) => {
  let fresh: Fresh;
  let database: Database;
  let audit: AuditRepository;
  /** Members of DAO `one`, by what platforms call them. */
  let boss: Member | undefined;
  let plain: Member | undefined;

  const memberOf = (dao: string, user: string) => memberByUser(database.of(dao), dao, user);
  const rowsOf = (daoId: string | null): Promise<AuditRow[]> => audit.page(daoId, { after: 0, limit: 1_000 });
  const written = async (daoId: string | null): Promise<unknown[]> =>
    verified(await rowsOf(daoId)).map(({ actor, action, subject, detail }) => [actor, action, subject, detail]);
  const chains = () => database.all.selectFrom('audit_chains').selectAll().orderBy('chain').execute();
  /** How a chain names somebody who is no member. */
  const stranger = async (name: string, user = 'tg:99'): Promise<string> => {
    const salt = (await chains()).find(({ chain }) => chain === name)?.salt;
    return `x_${sha256(`${salt}:${user}`).slice(0, 32)}`;
  };

  beforeAll(async () => {
    fresh = await open(async (owner) => {
      await applyOld(owner);
      await fillOld(owner);
    });
    ({ database } = fresh);
    expect(await database.migrate()).toEqual(NEW);
    audit = new AuditRepository(database);
    [boss, plain] = [await memberOf('one', 'tg:1'), await memberOf('one', 'tg:2')];
  });
  afterAll(() => fresh.drop());

  it('should lose nobody, no right, no key and no conversation', async () => {
    expect(boss).toMatchObject({ roles: ['admin'], user_ids: ['tg:1'], name: null });
    expect(boss?.id).toMatch(/^p_[0-9a-f]{32}$/);
    expect(plain?.created_at).toEqual(new Date('2026-01-02T03:04:05Z'));
    expect((await memberOf('two', 'tg:1'))?.id).not.toBe(boss?.id);
    const access = new AccessRepository(database);
    expect((await access.byUser('one', 'tg:2'))?.roles).toEqual([{ name: 'member', entitlements: ['chat.write'] }]);
    const opened = await new KeysRepository(database).findActive('hash of k');
    expect(opened).toMatchObject({ id: 'k', daoId: 'one', owner: boss?.id, scopes: null });
    const turns = database.of('one').selectFrom('turns').select(['request_id', 'dialog_id', 'prompt']);
    expect(await turns.execute()).toEqual([{ request_id: 'r', dialog_id: 'd', prompt: 'Хто ми?' }]);
  });

  it('should know whose the keys are that members made, and leave others the platform’s', async () => {
    const rows = database.all.selectFrom('api_keys').select(['id', 'owner']).orderBy('id');
    expect(await rows.execute()).toEqual([
      { id: 'k', owner: boss?.id },
      { id: 'k-of-all', owner: 'platform' },
      { id: 'k-of-member', owner: (await memberOf('two', 'tg:1'))?.id },
      { id: 'k-of-platform', owner: 'platform' },
      { id: 'k-of-stranger', owner: 'platform' },
    ]);
  });

  it('should have what was written down in chains that can be verified, by ids that tell nobody who it was', async () => {
    const [ours, theirs] = [await stranger('one'), await stranger('no-more')];
    expect(ours).not.toBe(theirs);
    expect(await written('one')).toEqual([
      [boss?.id, 'key.create', 'k', { note: 'Ключ "k" \\ 🗝' }],
      [ours, 'access.denied', ours, { roles: ['guest'] }],
      [plain?.id, 'access.denied', plain?.id, {}],
      ['api:admin', 'key.revoke', 'k', { nested: { a: [1, 2.5, null] } }],
      [ours, 'access.denied', ours, {}],
      [boss?.id, 'key.revoke', 'other', {}],
    ]);
    expect(await written(null)).toEqual([
      ['api:admin', 'access.denied', 'api:admin', {}],
      ['api:system', 'config.activate', 'f00', { from: 'a', to: 'b' }],
    ]);
    expect(await written('no-more')).toEqual([[theirs, 'access.denied', theirs, {}]]);
    const dump = JSON.stringify(await database.all.selectFrom('audit').selectAll().execute());
    for (const gone of ['tg:1', 'tg:2', 'tg:99', 'Boss']) expect(dump).not.toContain(gone);
  });

  it('should have a long record in one chain, in the order in which it was written', async () => {
    const told = verified(await rowsOf('long'));
    expect(told.map(({ subject }) => subject)).toEqual(Array.from({ length: MANY }, (_, at) => `role-${at + 1}`));
  });

  it('should go on from the heads of those chains', async () => {
    const heads = await chains();
    expect(heads.map(({ chain, seq }) => [chain, Number(seq)])).toEqual([
      ['', 2],
      ['long', MANY],
      ['no-more', 1],
      ['one', 6],
      ['two', 3],
    ]);
    for (const { chain, hash } of heads) expect((await rowsOf(chain === '' ? null : chain)).at(-1)?.hash).toBe(hash);
    await audit.append('one', { actor: 'tg:99', action: 'access.denied', subject: { user: 'tg:2' } });
    expect((await written('one')).at(-1)).toEqual([await stranger('one'), 'access.denied', plain?.id, {}]);
  });
});

describe('migrations of two processes', () => {
  it('should be applied by one of them', async () => {
    const { url, drop } = await freshDatabase();
    const processes = [openPostgres(url), openPostgres(url)];
    try {
      const applied = await Promise.all(processes.map((database) => database.migrate()));
      expect(applied.flat()).toEqual(ALL);
    } finally {
      await Promise.all(processes.map((database) => database.close()));
      await drop();
    }
  });
});

describe('a migration that takes long', () => {
  it('should be waited for, longer than the product’s own statements get, whatever the database sets', async () => {
    const { url, drop } = await freshDatabase();
    const owner = administratorOf(url);
    await applyOld(owner);
    await sql.raw(`alter database ${new URL(url).pathname.slice(1)} set statement_timeout = '2s'`).execute(owner);
    const database = openPostgres(url);
    try {
      const migrating = await owner.transaction().execute(async (holder) => {
        await sql`lock table daos`.execute(holder);
        const applied = database.migrate();
        await until(async () => (await longestWait(owner)) > 5_200, 20_000);
        return { applied };
      });
      expect(await migrating.applied).toEqual(NEW);
    } finally {
      await database.close();
      await owner.destroy();
      await drop();
    }
  });
});

/** For how long, in milliseconds, a statement has been waiting for a lock. */
async function longestWait(owner: Db): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    select coalesce(max(extract(epoch from clock_timestamp() - query_start)), 0)::float8 * 1000 as ms
    from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(owner);
  return rows[0]?.ms ?? 0;
}

/** What the rows of a chain say, once each is what was hashed, in its place. */
function verified(rows: AuditRow[]): AuditEntry[] {
  let before = '';
  return rows.map(({ seq, entry, hash }, at) => {
    expect(hash).toBe(chainHash(sha256, before, entry));
    before = hash;
    const said = JSON.parse(entry) as AuditEntry;
    expect([seq, said.seq]).toEqual([at + 1, at + 1]);
    expect(said.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return said;
  });
}

/** Brings an empty database to where the product was before it knew members by ids of their own. */
async function applyOld(owner: Db): Promise<void> {
  const folder = packagePath('src', 'adapters', 'store', 'migrations');
  const fromFile = (name: string): Migration => ({
    async up(db) {
      const statements = readFileSync(`${folder}/${name}.sql`, 'utf8').split(/;\s*$/m);
      for (const text of statements.filter((one) => one.trim() !== '')) await sql.raw(text).execute(db);
    },
  });
  const migrations = Object.fromEntries(OLD.map((name) => [name, fromFile(name)]));
  const migrator = new Migrator({ db: owner, provider: { getMigrations: () => Promise.resolve(migrations) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error as Error;
}

/** DAOs, people, a conversation and a record, as the product wrote them then. */
async function fillOld(owner: Db): Promise<void> {
  await sql`insert into daos (id, name) values ('one', 'One'), ('two', 'Two')`.execute(owner);
  await sql`insert into roles (dao_id, name, entitlements) values
    ('one', 'admin', '{key.manage}'), ('one', 'member', '{chat.write}'), ('two', 'member', '{chat.read}')`.execute(
    owner,
  );
  await sql`insert into members (dao_id, user_id, roles, created_at) values
    ('one', 'tg:1', '{admin}', '2026-01-01'), ('one', 'tg:2', '{member}', '2026-01-02T03:04:05Z'),
    ('two', 'tg:1', '{member}', '2026-01-01'), ('two', 'tg:8', '{member}', '2026-01-01')`.execute(owner);
  await sql`insert into api_keys (id, hash, name, dao_id, principal, gateway)
    values ('k', 'hash of k', 'a key', 'one', 'tg:1', false)`.execute(owner);
  await sql`insert into platform_grants (principal) values ('tg:8')`.execute(owner);
  await sql`insert into api_keys (id, hash, name, dao_id, principal, gateway)
    select id, 'hash of ' || id, 'a key', case when id = 'k-of-all' then null else 'two' end, 'api:' || id, true
    from unnest('{k-of-all, k-of-member, k-of-platform, k-of-stranger}'::text[]) id`.execute(owner);
  await sql`insert into audit (dao_id, at, actor, action, subject) values
    ('two', '2026-01-03', 'tg:1', 'key.create', 'k-of-member'),
    ('two', '2026-01-04', 'tg:8', 'key.create', 'k-of-platform'),
    ('two', '2026-01-05', 'tg:99', 'key.create', 'k-of-stranger')`.execute(owner);
  await sql`insert into dialogs (id, dao_id, actor, session_id) values ('d', 'one', 'tg:2', 's')`.execute(owner);
  await sql`insert into requests (id, dao_id, actor, key_id, mode, metadata, decision, status, received_at, deadline_at)
    values ('r', 'one', 'tg:2', 'k', 'chat', '{}', '{}', 'accepted', now(), now())`.execute(owner);
  await sql`insert into turns (request_id, dao_id, dialog_id, prompt, created_at)
    values ('r', 'one', 'd', 'Хто ми?', now())`.execute(owner);
  await sql`insert into audit (dao_id, at, actor, action, subject, detail) values
    ('one', '2026-01-03T00:00:00.123456Z', 'tg:1', 'key.create', 'k',
      ${JSON.stringify({ principal: 'tg:1', name: 'Boss', note: 'Ключ "k" \\ 🗝' })}::jsonb),
    (null, '2026-01-03', 'api:admin', 'access.denied', 'api:admin', '{}'),
    ('one', '2026-01-03T02:00:00+02', 'tg:99', 'access.denied', 'tg:99', '{"roles": ["guest"]}'),
    ('one', '2026-01-04', 'tg:2', 'access.denied', 'tg:2', '{}'),
    ('one', '2026-01-05', 'api:admin', 'key.revoke', 'k', '{"nested": {"a": [1, 2.5, null]}}'),
    (null, '2026-01-05', 'system', 'config.activate', 'f00', '{"from": "a", "to": "b"}'),
    ('no-more', '2026-01-05', 'tg:99', 'access.denied', 'tg:99', '{}'),
    ('one', '2026-01-06', 'tg:99', 'access.denied', 'tg:99', '{}'),
    ('one', '2026-01-07', 'tg:1', 'key.revoke', 'other', '{}')`.execute(owner);
  await sql`insert into audit (dao_id, at, actor, action, subject, detail)
    select 'long', '2026-02-01', 'tg:' || n % 7, 'role.edit', 'role-' || n, '{}' from generate_series(1, ${MANY}::int) n
    order by n`.execute(owner);
}
