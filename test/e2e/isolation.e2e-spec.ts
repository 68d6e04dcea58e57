import { execFileSync } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, fakeProvider, Product, until } from './harness.js';
import { describedIn, NOWHERE, WalkRoute, type Attempt } from './isolation-calls.js';
import { A_CREW, FILE, FILLINGS, QUERY, type Things } from './isolation-routes.js';
import { rowsBeside } from './isolation-rows.js';

/** An admin of both DAOs: a key of one must not open the other, though the person behind it could. */
const BOTH = 'tg:admin-of-both';
/** A member of each who is no member of the other. */
const USERS: Readonly<Record<string, string>> = { amber: 'tg:1001', birch: 'tg:2002' };
const CALLERS = ['admin', 'member', 'guest', 'gateway'] as const;
type Caller = (typeof CALLERS)[number];

interface Dao {
  things: Things;
  /** Ids and texts that it alone has. */
  secrets: string[];
  keys: Record<Caller, string>;
}

/** What came back: status and code, the error as text, and all of it. */
interface Outcome {
  short: string;
  error: string;
  text: string;
}

/** Public, and so not in the API's description, which has what a key opens. They take nothing. */
const UNDESCRIBED: readonly string[] = [
  ...['GET /health', 'GET /ready'],
  // Called by platforms alone, whose signature no key replaces.
  ...['POST /discord/interactions', 'POST /telegram/webhook'],
];

const isDocumentation = (url: string): boolean => /^\/docs(\/|$)/.test(url) || url === '/openapi.json';
const sent = ({ method, path, body }: Attempt): string =>
  `${method} ${decodeURIComponent(path)} ${JSON.stringify(body ?? {})}`;

/**
 * Ids that the DAO alone has. Not the user's: a platform gave it, and some calls make it known elsewhere. Nor numbers.
 */
const valuesOf = ({ user: _user, proposal: _proposal, ...rest }: Things): string[] => Object.values(rest);

/** The same text whatever the things are that were asked for. */
function withoutNames(text: string, things: Things): string {
  // The longer ones first: some have others in them.
  const named = Object.entries({ ...things }).toSorted(([, one], [, other]) => other.length - one.length);
  return named.reduce((rest, [kind, value]) => rest.replaceAll(value, `<${kind}>`), text);
}

/** All callers at once: what one may not do changes nothing for another. */
const each = (callers: readonly Caller[], call: (caller: Caller) => Promise<void>): Promise<unknown> =>
  Promise.all(callers.map(call));

/** Of each DAO those who call. That it works the other way round, too, is shown by those who may the most. */
const WALKERS: readonly [string, readonly Caller[]][] = [
  ['amber', CALLERS],
  ['birch', ['admin', 'gateway']],
];

/** Some calls run programs in the sandbox. */
const WALK_MS = 240_000;

describe('isolation', () => {
  const access = new Map<string, string>();
  let routes: WalkRoute[];
  let fake: WireFake;
  let product: Product;
  let daos: Record<string, Dao>;

  const remember = ({ method, url, config }: RouteOptions): void => {
    if (isDocumentation(url)) return;
    const declared = (config as { access?: string } | undefined)?.access ?? '';
    for (const one of [method].flat()) access.set(`${one} ${url}`, declared);
  };

  beforeAll(async () => {
    const created = channel('fastify.initialization');
    const listen = (message: unknown): void => {
      (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', remember);
    };
    fake = await startFakeOpenAi();
    created.subscribe(listen);
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
    created.unsubscribe(listen);
    const described = describedIn((await product.call('GET', '/openapi.json', { key: null })).body);
    routes = [...access].map(([name, declared]) => new WalkRoute(name, declared, described));
    daos = { amber: await fill('amber'), birch: await fill('birch') };
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  /** A DAO in which each kind of thing exists. */
  async function fill(dao: string): Promise<Dao> {
    const secret = `secret-of-${dao}`;
    const user = USERS[dao]!;
    // Whom no call names: an answer that tells of them was not made of what was asked.
    const unnamed = `${user}-unnamed`;
    const people = { [BOTH]: ['admin'], [user]: ['member'], [unnamed]: ['member'], [`${user}-gone`]: ['member'] };
    await product.createDao(dao, people, { purpose: secret });
    await fillWorkspace(dao, secret);
    const key = (principal?: string): Promise<{ key: string; id: string }> =>
      product.key({ dao_id: dao, name: secret, ...(principal !== undefined && { principal }) });
    const keys = {
      admin: (await key(BOTH)).key,
      member: (await key(user)).key,
      guest: (await key('tg:a-guest')).key,
      gateway: (await key()).key,
    };
    // Made by the admin, who may replace it: what the platform made is not theirs to replace.
    const { id, key: itself } = await product.key({ dao_id: dao, name: secret }, { key: keys.admin });
    const things = { dao, user, key: id, role: `keeper-of-${dao}`, ...(await fillFurther(dao, user, keys, secret)) };
    return { things, keys, secrets: [secret, `The ${dao}`, unnamed, itself, ...valuesOf(things)] };
  }

  const workspace = (dao: string): string => join(product.home, 'workspaces', dao);

  /** The same names in every DAO, with words of its own in them. */
  async function fillWorkspace(dao: string, secret: string): Promise<void> {
    const cwd = workspace(dao);
    await mkdir(cwd, { recursive: true });
    await writeFile(join(cwd, FILE), `${secret}\n`);
    await writeFile(join(cwd, 'other.txt'), `another ${secret}\n`);
    await writeFile(join(cwd, 'a.test.js'), `require('node:test')('${secret}', () => console.log('${secret}'));\n`);
    const git = (...args: string[]): unknown => execFileSync('git', args, { cwd });
    git('init', '-q');
    git('add', FILE, 'other.txt');
    git('-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org', 'commit', '-q', '-m', secret);
    await writeFile(join(cwd, 'other.txt'), `changed ${secret}\n`);
    git('add', 'other.txt');
  }

  /** What is not of this DAO: all rows, and the files of the other one. */
  async function beside(dao: string): Promise<Record<string, string[]>> {
    const theirs = workspace(other(dao).things.dao);
    const entries = await readdir(theirs, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const contents = files.toSorted().map(async (file) => `${file}: ${await readFile(file, 'latin1')}`);
    return { ...(await rowsBeside(product.database, dao)), files: await Promise.all(contents) };
  }

  /** What its people make themselves. */
  async function fillFurther(
    dao: string,
    user: string,
    keys: Dao['keys'],
    secret: string,
  ): Promise<
    Pick<Things, 'member' | 'leaving' | 'request' | 'invitation' | 'code' | 'proposal' | 'crew' | 'newCrew' | 'run'>
  > {
    const made = async (
      caller: Caller,
      method: string,
      path: string,
      body: object,
      headers: Record<string, string> = {},
    ): Promise<Record<string, unknown>> => {
      const reply = await product.call(method, path, { key: keys[caller], headers }, body);
      expect([path, reply.status < 300 ? 'made' : reply.body]).toEqual([path, 'made']);
      return reply.body as unknown as Record<string, unknown>;
    };
    const asked = await made('member', 'POST', '/route', { prompt: secret, metadata: { session_id: 'shared' } });
    await made('admin', 'PUT', `/roles/keeper-of-${dao}`, { entitlements: ['chat.read', 'chat.write'] });
    await made('admin', 'POST', `/daos/${dao}/invitations`, { roles: ['member'], user_id: 'tg:invited' });
    const invited = await made('admin', 'POST', `/daos/${dao}/invitations`, { roles: ['member'], uses: 9 });
    const drafted = await made('admin', 'POST', '/proposals', { title: secret, text: secret });
    const crew = `crew_of_${dao}`;
    await made('admin', 'PUT', `/crews/${crew}`, { ...A_CREW, description: secret });
    const begun = await made('member', 'POST', `/crews/${crew}/runs`, { text: secret }, { prefer: 'wait=0' });
    const run = begun.request_id as string;
    await until(async () => {
      const { body } = await product.call('GET', `/crews/runs/${run}`, { key: keys.admin });
      return (body as unknown as { state: string }).state === 'paused';
    });
    return {
      ...{ crew, newCrew: `new_crew_of_${dao}`, run },
      request: asked.request_id as string,
      invitation: invited.id as string,
      code: invited.secret as string,
      proposal: String(drafted.n),
      member: await product.memberId(dao, user),
      leaving: await product.memberId(dao, `${user}-unnamed`),
    };
  }

  async function outcome(key: string, { method, path, body }: Attempt): Promise<Outcome> {
    const response = await product.fetch(method, path, { key }, body && JSON.stringify(body));
    const text = await response.text();
    const { error } = (text.startsWith('{') ? JSON.parse(text) : {}) as { error?: { code: string } };
    return { short: `${response.status} ${error?.code ?? ''}`.trim(), error: JSON.stringify(error ?? {}), text };
  }

  const other = (dao: string): Dao => daos[dao === 'amber' ? 'birch' : 'amber']!;

  /** What is wrong with the answer to a call that names something of another DAO. */
  function complaint(answer: Outcome, twin: Outcome, others: Things): string | undefined {
    if (!/^4\d\d/.test(answer.short) || answer.short.startsWith('401')) return answer.short;
    const [here, nowhere] = [withoutNames(answer.error, others), withoutNames(twin.error, NOWHERE)];
    return here === nowhere ? undefined : `${here}, but of what is nowhere ${nowhere}`;
  }

  it('should know of every route, parameter and field what to fill in', () => {
    expect(routes.length).toBeGreaterThanOrEqual(25);
    expect(routes.filter(({ filledAs }) => !UNDESCRIBED.includes(filledAs)).flatMap((route) => route.gaps())).toEqual(
      [],
    );
    const names = new Set(routes.map(({ filledAs }) => filledAs));
    const parameters = new Set(routes.flatMap(({ query }) => query));
    expect(Object.keys(FILLINGS).filter((name) => !names.has(name))).toEqual([]);
    expect(Object.keys(QUERY).filter((name) => !parameters.has(name))).toEqual([]);
  });

  describe.each(WALKERS)('with the keys of %s', (from, callers) => {
    const asker = { dao: from, admin: BOTH };
    let before: Record<string, string[]>;

    beforeAll(async () => {
      // Denials of the walk before are written down when it stops: they are that DAO's own, and no change by this one.
      await product.restart();
      before = await beside(from);
    });

    it(
      'should refuse what names something of another DAO, as if that were nowhere',
      async () => {
        const { things } = other(from);
        const wrong: string[] = [];
        for (const route of routes) {
          const calls = route.namingOthers(things, asker);
          for (const { real, invented } of calls) {
            await each(callers, async (caller) => {
              const key = daos[from]!.keys[caller];
              const found = complaint(await outcome(key, real), await outcome(key, invented), things);
              if (found !== undefined) wrong.push(`${caller}: ${sent(real)}: ${found}`);
            });
          }
        }
        expect(wrong).toEqual([]);
      },
      WALK_MS,
    );

    it(
      'should tell nothing of another DAO where nothing of it is named',
      async () => {
        const { things, secrets } = other(from);
        const leaks: string[] = [];
        for (const route of routes) {
          for (const attempt of route.namingOwn(things, daos[from]!.things, asker)) {
            await each(callers, async (caller) => {
              const { text } = await outcome(daos[from]!.keys[caller], attempt);
              const told = secrets.filter((one) => text.includes(one) && !sent(attempt).includes(one));
              if (told.length > 0) leaks.push(`${caller}: ${sent(attempt)}: ${told.join()}`);
            });
          }
        }
        expect(leaks).toEqual([]);
      },
      WALK_MS,
    );

    it('should have changed nothing of another DAO, nor of the installation', async () => {
      expect(await beside(from)).toEqual(before);
      expect(
        Object.values(before)
          .flat()
          .some((row) => row.includes(other(from).secrets[0]!)),
      ).toBe(true);
    });
  });

  // Last: it deletes what it deletes. Otherwise a call that nobody could make at all would count as refused.
  it(
    'should be refused for no other reason: to whom they belong, the same calls are open',
    async () => {
      const { things, keys } = daos.birch!;
      const refused: string[] = [];
      const ofKeys = routes.filter(({ filledAs }) => !UNDESCRIBED.includes(filledAs));
      for (const route of ofKeys.toSorted((a, b) => a.turn - b.turn)) {
        if (route.isOfThePlatform) continue;
        for (const attempt of route.byOwner(things, { dao: 'birch', admin: BOTH })) {
          const tried = [];
          for (const caller of ['admin', 'gateway', 'member'] as const)
            tried.push((await outcome(keys[caller], attempt)).short);
          const open = tried.some((short) => short.startsWith('2') || short === route.refusedToOwner);
          if (!open) refused.push(`${sent(attempt)}: ${tried.join(', ')}`);
        }
      }
      expect(refused).toEqual([]);
    },
    WALK_MS,
  );
});
