import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../src/adapters/store/database.js';
import type { SeenGate, SeenRun } from '../../../src/contracts/crew-view.js';
import { rowsBeside } from '../../e2e/isolation-rows.js';
import type { WireFake } from '../../fakes/wire-fake.js';
import { wishOf, type Attack } from './attacks.js';
import { CREWS } from './crews.js';
import { HUNGRY_TEST, hostileTest, NODE_PACKAGE } from './programs.js';
import { WAYS } from './ways.js';

/** The product as it runs, and what of it can be looked at from outside. */
export interface Served {
  url: string;
  home: string;
  adminKey: string;
  database: Database;
  databaseUrl: string;
  logFile: string;
}

/** The DAO that is attacked, and the one of which nothing may be seen. */
export const ATTACKED = 'amber';
export const OTHER = 'birch';

/** A decision that a person of the stage has made. */
export interface MadeDecision {
  run: string;
  gate: string;
  decision: string;
  /** The person, by the id of the DAO. */
  by: string;
}

/** An answer of the product. */
export interface Answer {
  call: string;
  status: number;
  text: string;
}

/** An attack as it went. */
export interface Play {
  attack: Attack;
  run: SeenRun | undefined;
  /** Why the stage could not play it to its end. */
  problem: string | undefined;
  /** What the person who began it may never be told, beside what nobody may. */
  hidden: readonly string[];
  answers: Answer[];
}

/** Whatever can change: files by path, rows by table. */
export interface State {
  files: Record<string, Record<string, string>>;
  rows: Record<string, string[]>;
  rowsOfOther: Record<string, string[]>;
}

/** What is done otherwise than it should be, so that checks have something to find; see plants.ts. */
export interface StagePlants {
  /** Crews in place of those of the stage. */
  crews?: Readonly<Record<string, object>>;
  /** The admin approves whatever is asked. */
  approvesAll?: boolean;
  /** The model heeds no orders. */
  isDeaf?: boolean;
  /** Done when all is ready, before the attacks. */
  ready?: (stage: Stage) => Promise<void>;
  /** Done between the two looks at what there is. */
  meanwhile?: (stage: Stage) => Promise<void>;
}

const PEOPLE = { admin: 'tg:1', member: 'tg:12', contributor: 'tg:13' };
const END_MS = 60_000;
const LOOK_MS = 60;
/** What agents are meant to write: everything else is an attacker's. */
const AGREED = { path: 'notes/agreed.md', content: 'Agreed.' };
const MOST_DECISIONS = 25;

type Key = string;

/** Two DAOs with everything in them, and people who begin what attackers have prepared. */
export class Stage {
  readonly served: Served;
  readonly fake: WireFake;
  /** Texts of the other DAO that may be seen nowhere else. */
  readonly secrets: string[] = [];
  /** Keys and addresses of the installation, which may be seen nowhere at all. */
  readonly keys: string[] = [];
  /** A text of the attacked DAO's workspace, for whom its files are not. */
  readonly ownSecret = `canary-of-amber-${randomUUID()}`;
  readonly proposals = new Map<string, number>();
  readonly decisions: MadeDecision[] = [];
  readonly agreed = new Set<string>();
  private readonly plants: StagePlants;
  private readonly people = new Map<string, Key>();
  private things: Record<string, unknown> = {};
  /** Answers to calls under way, by the attack that they are made for. */
  private readonly answers = new Map<string, Answer[]>();

  constructor(served: Served, fake: WireFake, plants: StagePlants = {}) {
    this.served = served;
    this.fake = fake;
    this.plants = plants;
    const name = new URL(served.databaseUrl).pathname.slice(1);
    this.keys.push(served.adminKey, served.databaseUrl, name, fake.settings.apiKey);
  }

  /** Makes everything, and tells the model what the attackers want. */
  async fill(attacks: readonly Attack[]): Promise<void> {
    await this.foundOther();
    await this.found(ATTACKED, { purpose: 'Food from farms.' });
    await this.fillWorkspace();
    for (const attack of attacks) {
      const { by, prepare } = this.wayOf(attack);
      if (by === 'guest') await this.keyOf(attack.id, ATTACKED, `tg:guest-${attack.id}`);
      await prepare?.(this, attack);
    }
    const { isDeaf, ready } = this.plants;
    const wishes = attacks.map((attack) => [
      attack.id,
      wishOf(attack, this.things, this.wayOf(attack).propagates ?? false),
    ]);
    this.fake.settings = { ...this.fake.settings, obeys: isDeaf ? {} : Object.fromEntries(wishes) };
    await ready?.(this);
    this.fake.reset();
  }

  wayOf({ way, id }: Attack): (typeof WAYS)[string] {
    const found = WAYS[way];
    if (!found) throw new Error(`attacks.yml: there is no way ${way}, of ${id}`);
    return found;
  }

  // --- what there is ---

  private async foundOther(): Promise<void> {
    const secret = (what: string): string => {
      const text = `canary-of-birch-${what}-${randomUUID()}`;
      this.secrets.push(text);
      return text;
    };
    await this.found(OTHER, { purpose: secret('facts') });
    const folder = this.folder(OTHER);
    await mkdir(folder, { recursive: true });
    for (const name of ['secret.txt', '.env', 'README.md']) await writeFile(join(folder, name), `${secret(name)}\n`);
    const made = (path: string, body: object, method = 'POST'): Promise<Record<string, unknown>> =>
      this.must(`${OTHER}/admin`, method, path, body);
    const { n } = await made('/proposals', { title: secret('title'), text: secret('proposal') });
    await made('/crews/working', { ...CREWS.working, description: secret('crew') }, 'PUT');
    await made(`/daos/${OTHER}/members`, { user_id: 'tg:77', roles: ['member'], name: secret('member') });
    const { request_id: request } = await made('/route', { prompt: secret('prompt') });
    const begun = await made('/crews/task_decomposition/runs', { inputs: { task: secret('run') } });
    const things = { n, request, run: begun.request_id };
    this.things = { A: ATTACKED, B: OTHER, home: this.served.home, ...things };
  }

  /** A DAO with its people and their keys. */
  private async found(id: string, facts: Record<string, string>): Promise<void> {
    const { admin, member, contributor } = PEOPLE;
    await this.must('platform', 'POST', '/daos', { id, name: `The ${id}`, facts, admin });
    const roles = { [member]: 'member', [contributor]: 'contributor' };
    for (const [user, role] of Object.entries(roles)) {
      await this.must('platform', 'POST', `/daos/${id}/members`, { user_id: user, roles: [role] });
    }
    for (const [name, principal] of Object.entries(PEOPLE)) await this.keyOf(name, id, principal);
    if (id === OTHER) return;
    const crews = { ...CREWS, ...this.plants.crews };
    for (const [crew, definition] of Object.entries(crews)) {
      await this.must(`${id}/admin`, 'PUT', `/crews/${crew}`, definition);
    }
  }

  private async keyOf(name: string, dao: string, principal: string): Promise<void> {
    const { key } = await this.must('platform', 'POST', '/keys', { name, dao_id: dao, principal });
    this.people.set(`${dao}/${name}`, key as string);
    this.keys.push(key as string);
  }

  private async fillWorkspace(): Promise<void> {
    await this.put('README.md', '# Amber\n\nFood from farms.\n');
    await this.put('shop/login.js', 'export const login = (user) => user.known;\n');
    await this.put('secret.txt', `${this.ownSecret}\n`);
    await this.put('hostile/hostile.test.js', hostileTest('hostile', 'hostile'));
    await this.put('hungry/hungry.test.js', HUNGRY_TEST);
    for (const folder of ['hostile', 'hungry']) await this.put(`${folder}/package.json`, NODE_PACKAGE);
    await symlink(this.folder(OTHER), join(this.folder(ATTACKED), 'link-to-other'));
    await symlink('/etc', join(this.folder(ATTACKED), 'link-to-host'));
    this.git('init', '-q', '-b', 'main');
    this.git('add', 'README.md', 'shop');
    this.gitCommit('The beginning');
  }

  folder(dao: string): string {
    return join(this.served.home, 'workspaces', dao);
  }

  /** Writes a file of the attacked DAO. */
  async put(path: string, content: string): Promise<void> {
    const file = join(this.folder(ATTACKED), path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }

  async commit(folder: string, subject: string): Promise<void> {
    await this.put(`${folder}/page.txt`, 'A page.\n');
    this.git('add', folder);
    this.gitCommit(subject);
  }

  /** A file that was changed since it was committed. */
  async change(folder: string, text: string): Promise<void> {
    await this.commit(folder, `Add ${folder}`);
    await this.put(`${folder}/page.txt`, text);
  }

  private git(...args: string[]): void {
    execFileSync('git', args, { cwd: this.folder(ATTACKED) });
  }

  private gitCommit(subject: string): void {
    this.git('-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org', 'commit', '-q', '-m', subject);
  }

  async propose({ id }: Attack, words: { title: string; text: string }): Promise<void> {
    const { n } = await this.must(`${ATTACKED}/member`, 'POST', '/proposals', words);
    this.proposals.set(id, n as number);
  }

  /** A DAO of its own, since everybody in it is told its facts. */
  async foundWithFacts(attack: Attack): Promise<void> {
    await this.found(this.daoOf(attack), { purpose: attack.text });
  }

  private daoOf({ id, way }: Attack): string {
    return way === 'facts' ? `${ATTACKED}-${id}` : ATTACKED;
  }

  // --- what people do ---

  /** Plays an attack until it has ended or nothing more comes of it. */
  async play(attack: Attack): Promise<Play> {
    this.answers.set(attack.id, []);
    let run: SeenRun | undefined;
    let problem: string | undefined;
    try {
      const id = await this.wayOf(attack).begin(this, attack);
      if (id !== undefined) run = await this.follow(attack, id);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const hidden = this.wayOf(attack).by === 'contributor' ? [] : [this.ownSecret];
    return { attack, run, problem, hidden, answers: this.answers.get(attack.id) ?? [] };
  }

  private who(attack: Attack, role: string): string {
    return `${this.daoOf(attack)}/${role === 'guest' ? attack.id : role}`;
  }

  /** Starts a crew. @returns the id of its run */
  async start(attack: Attack, by: string, crew: string, inputs: object): Promise<string> {
    const headers = { prefer: 'wait=0' };
    const body = await this.heard(attack.id, this.who(attack, by), 'POST', `/crews/${crew}/runs`, { inputs }, headers);
    if (typeof body.request_id !== 'string') throw new Error(`not begun: ${JSON.stringify(body)}`);
    return body.request_id;
  }

  /** Starts a crew with some inputs and, when it has ended, again with others. */
  async rerun(attack: Attack, by: string, crew: string, before: object, inputs: object): Promise<string> {
    const first = await this.start(attack, by, crew, before);
    await this.follow(attack, first);
    const headers = { prefer: 'wait=0' };
    const who = this.who(attack, by);
    const body = await this.heard(attack.id, who, 'POST', `/crews/runs/${first}/rerun`, { inputs }, headers);
    return String(body.request_id);
  }

  /** Sends a request; of a crew the id is given. */
  async route(
    { id }: Attack,
    by: string,
    body: { mode?: string; prompt?: string; metadata?: object },
  ): Promise<string | undefined> {
    const answered = await this.heard(id, `${ATTACKED}/${by}`, 'POST', '/route', body, { prefer: 'wait=1' });
    return body.mode === 'crew' ? String(answered.request_id) : undefined;
  }

  /** Asks as clients of OpenAI do; of a crew the id of its run is given. */
  async complete(
    { id }: Attack,
    by: string,
    body: { model: string; messages: object[]; stream?: boolean; tools?: object[] },
  ): Promise<string | undefined> {
    const { text } = await this.call(`${ATTACKED}/${by}`, 'POST', '/v1/chat/completions', { body, id });
    const run = /"id":\s*"(?:chatcmpl-)?([0-9a-f-]{36})"/.exec(text)?.[1];
    return body.model.startsWith('crew/') ? run : undefined;
  }

  /** Looks at a run until it has ended; people decide what it asks them. */
  private async follow(attack: Attack, run: string): Promise<SeenRun> {
    const giveUpAt = Date.now() + END_MS;
    const who = `${this.daoOf(attack)}/admin`;
    for (let decided = 0; ; await sleep(LOOK_MS)) {
      const seen = (await this.must(who, 'GET', `/crews/runs/${run}`)) as unknown as SeenRun;
      if (seen.ended_at !== null) {
        await this.heardByStarter(attack, run);
        return seen;
      }
      if (Date.now() > giveUpAt) throw new Error(`run ${run} did not end: ${JSON.stringify(seen.gates)}`);
      const open = seen.gates.filter(({ state }) => state === 'open');
      for (const gate of open) await this.decide(attack, seen, gate);
      decided += open.length;
      if (decided > MOST_DECISIONS) await this.must(who, 'POST', `/crews/runs/${run}/cancel`);
    }
  }

  /** What the person who began it is told of it in the end. */
  private async heardByStarter(attack: Attack, run: string): Promise<void> {
    const who = this.who(attack, this.wayOf(attack).by);
    for (const path of [`/crews/runs/${run}`, `/requests/${run}`, `/requests/${run}/events`]) {
      await this.call(who, 'GET', path, { id: attack.id });
    }
  }

  private async decide(attack: Attack, run: SeenRun, gate: SeenGate): Promise<void> {
    const { role, decision, ...rest } = this.decisionAt(attack, gate);
    const name = role === 'starter' ? this.wayOf(attack).by : role;
    const who = this.who(attack, name);
    const path = `/crews/runs/${run.run_id}/${decision}`;
    const { status } = await this.call(who, 'POST', path, { body: { gate: gate.id, ...rest }, id: attack.id });
    const user = name === 'guest' ? `tg:guest-${attack.id}` : (PEOPLE as Record<string, string>)[name];
    const by = await this.memberId(run.dao_id, user ?? '');
    if (status === 200) this.decisions.push({ run: run.run_id, gate: gate.id, decision, by });
  }

  private async memberId(dao: string, user: string): Promise<string> {
    const of = this.served.database.of(dao).selectFrom('identities').where('user_id', '=', user).select('member_id');
    return (await of.executeTakeFirst())?.member_id ?? user;
  }

  /** Lets pass what was agreed on, and nothing else. */
  private decisionAt(
    attack: Attack,
    { id, kind, shown }: SeenGate,
  ): { role: string; decision: string; comment?: string; output?: Record<string, unknown> } {
    const { answer = 'I say nothing of it.', comment, edit } = this.wayOf(attack).people?.(attack) ?? {};
    if (kind === 'question') return { role: 'starter', decision: 'answer', comment: answer };
    if (kind === 'limit') return { role: 'admin', decision: 'stop' };
    if (id.startsWith('tool.')) {
      const { params } = shown as { params: { path?: string; content?: string } };
      const isAgreed = params.path === AGREED.path && params.content === AGREED.content;
      if (isAgreed) this.agreed.add(AGREED.path);
      return isAgreed || this.plants.approvesAll
        ? { role: 'admin', decision: 'approve' }
        : { role: 'admin', decision: 'reject', comment: 'No.' };
    }
    if (comment !== undefined && id.endsWith('-1')) return { role: 'admin', decision: 'return', comment };
    if (id.startsWith('output.suggest_role')) return { role: 'admin', decision: 'reject' };
    return { role: 'admin', decision: 'approve', ...(edit && { output: edit }) };
  }

  // --- calls ---

  /** A call of the stage itself. @throws if it is refused */
  private async must(who: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const { status, text } = await this.call(who, method, path, { body });
    if (status >= 300) throw new Error(`${method} ${path} by ${who}: ${status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** A call whose answer is kept with an attack. */
  private async heard(
    id: string,
    who: string,
    method: string,
    path: string,
    body: object,
    headers: Record<string, string>,
  ): Promise<Record<string, unknown>> {
    const { text } = await this.call(who, method, path, { body, headers, id });
    return JSON.parse(text) as Record<string, unknown>;
  }

  async call(
    who: string,
    method: string,
    path: string,
    { body, headers, id }: { body?: object | undefined; headers?: Record<string, string>; id?: string } = {},
  ): Promise<Answer> {
    const key = who === 'platform' ? this.served.adminKey : this.people.get(who);
    const response = await fetch(`${this.served.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = { call: `${method} ${path}`, status: response.status, text: await response.text() };
    if (id !== undefined) this.answers.get(id)?.push(answer);
    return answer;
  }

  // --- looks ---

  /** All files of both DAOs, and all rows. */
  async state(): Promise<State> {
    const { database } = this.served;
    return {
      files: { [ATTACKED]: await filesIn(this.folder(ATTACKED)), [OTHER]: await filesIn(this.folder(OTHER)) },
      rows: await rowsBeside(database, OTHER),
      rowsOfOther: await rowsOf(database, OTHER),
    };
  }

  async meanwhile(): Promise<void> {
    await this.plants.meanwhile?.(this);
  }
}

/** Rows of one DAO, by table: all, without those beside it. */
async function rowsOf(database: Database, dao: string): Promise<Record<string, string[]>> {
  const beside = await rowsBeside(database, dao);
  const all = await rowsBeside(database, '');
  return Object.fromEntries(
    Object.entries(all).map(([table, rows]) => {
      const others = new Set(beside[table]);
      return [table, rows.filter((row) => !others.has(row))];
    }),
  );
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = entries
    .filter((entry) => !entry.isDirectory())
    .map(async (entry): Promise<[string, string]> => {
      const path = join(entry.parentPath, entry.name);
      const content = entry.isSymbolicLink() ? `-> ${await readlink(path)}` : await readFile(path, 'latin1');
      return [path.slice(folder.length + 1), content];
    });
  return Object.fromEntries(await Promise.all(contents));
}
