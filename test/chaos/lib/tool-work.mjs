import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BIG = 200_000;
const PATCHED = 4;
const CHAINS = 3;
const TEXT = 'needle in a file that nobody changes\n';
const PACKAGE = JSON.stringify({ name: 'small', scripts: { test: 'node --test' } });
const TESTS = `const { test } = require('node:test');
const { writeFileSync } = require('node:fs');
test('passes and writes', async () => {
  writeFileSync('written-by-a-test.txt', 'x');
  await new Promise((resolve) => setTimeout(resolve, 400));
});
`;

/** How names in the workspace may begin: all else was left behind by somebody. */
export const PLANTED = [
  ...[
    '(.*/)?late\\.txt$',
    'still\\.txt$',
    'big\\.txt$',
    'patched(/\\d+\\.txt)?$',
    'chained(/\\d+\\.txt)?$',
    'new(/m\\d+x\\.txt)?$',
  ],
  ...['small(/(package\\.json|a\\.test\\.js))?$', 'repository(/(\\.git|a\\.txt))?$'],
];

/** A file in each folder that is written to. */
export const WRITES_LATER = ['late.txt', 'new/late.txt', 'chained/late.txt', 'patched/late.txt'];

export function plantFiles(workspace) {
  const put = (path, text) => writeFileSync(join(workspace, path), text);
  for (const folder of ['patched', 'chained', 'new', 'small', 'repository']) mkdirSync(join(workspace, folder));
  put('still.txt', TEXT);
  put('big.txt', 'a'.repeat(BIG));
  for (let n = 0; n < PATCHED; n += 1) put(`patched/${n}.txt`, 'first\nlast\n');
  for (let n = 0; n < CHAINS; n += 1) put(`chained/${n}.txt`, '');
  put('small/package.json', PACKAGE);
  put('small/a.test.js', TESTS);
  put('repository/a.txt', TEXT);
  const git = (...args) => execFileSync('git', args, { cwd: join(workspace, 'repository') });
  git('init', '-q');
  git('add', 'a.txt');
  git('-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org', 'commit', '-q', '-m', 'First');
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/**
 * What is asked, in turn: how, and what is wrong with the answer to it (undefined: nothing). A patch puts a line below
 * the first one, where it would fit again and again: whoever applies it twice is found out.
 */
const KINDS = [
  (n) => ({
    kind: 'patch',
    tool: 'fs_patch',
    params: { patch: patchOf(n) },
    wrong: ({ files }) => files.length !== 1,
  }),
  (n) => ({
    kind: 'new file',
    tool: 'fs_write',
    params: { path: `new/m${n}x.txt`, content: `m${n}x\n`, expected_hash: null },
    wrong: ({ hash }) => hash !== sha256(`m${n}x\n`),
  }),
  () => ({ kind: 'chain', chained: true, tool: 'fs_write' }),
  () => ({ kind: 'read', tool: 'fs_read', params: { path: 'still.txt' }, wrong: ({ content }) => content !== TEXT }),
  (n) => ({
    kind: 'replace',
    tool: 'fs_write',
    params: { path: 'big.txt', content: letterOf(n).repeat(BIG) },
    wrong: ({ size }) => size !== BIG,
  }),
  () => ({
    kind: 'tests',
    tool: 'run_tests',
    params: { path: 'small' },
    wrong: ({ passed, failed, ended_by: end }) => passed !== 1 || failed !== 0 || end !== 'exit',
  }),
  () => ({
    kind: 'search',
    tool: 'fs_search',
    params: { pattern: 'needle', glob: '*.txt' },
    wrong: ({ matches }) => matches.length !== 2,
  }),
  (n) => ({
    kind: 'patch',
    tool: 'fs_patch',
    params: { patch: patchOf(n) },
    wrong: ({ files }) => files.length !== 1,
  }),
  () => ({
    ...{ kind: 'git', tool: 'git_status', params: { path: 'repository' } },
    wrong: ({ clean, head }) => !clean || !head,
  }),
  () => ({
    kind: 'list',
    tool: 'fs_list',
    params: { path: 'patched' },
    wrong: ({ entries }) => entries.length !== PATCHED,
  }),
];

const letterOf = (n) => 'abcdefghij'[n % 10];
const patchedBy = (n) => Math.floor(n / KINDS.length) % PATCHED;
const patchOf = (n) =>
  `--- a/patched/${patchedBy(n)}.txt\n+++ b/patched/${patchedBy(n)}.txt\n@@ -1,1 +1,2 @@\n first\n+line of m${n}x\n`;

/** The requests of the run, and what became of them. */
export class ToolWork {
  accepted = new Map();
  /** The chains wait for one another: each link is written over the one that was read. */
  chains = Array.from({ length: CHAINS }, () => ({ before: Promise.resolve(), text: '' }));
  seen = 0;
  /** Patches that were applied, and whose end is an error: somebody else has changed the file before that was noticed. */
  untold = 0;
  waking = [];
  torn = [];

  constructor(client, workspace) {
    Object.assign(this, { client, workspace });
  }

  async submit(n) {
    const job = { n, ...KINDS[n % KINDS.length](n) };
    if (job.chained) return this.submitLink(n, job);
    await this.send(job);
  }

  async send(job) {
    const marker = `m${job.n}x`;
    const metadata = { user_id: 'tg:222', tool: job.tool, params: job.params };
    job.id = await this.client.submit({ marker, metadata, mode: 'devtools' });
    this.accepted.set(marker, job);
    if (job.tool === 'fs_patch' || job.tool === 'fs_write') this.wakeAll();
  }

  /** Resolves when the next write was accepted, or after this time. */
  nextWrite(ms) {
    return Promise.race([new Promise((wake) => this.waking.push(wake)), sleep(ms)]);
  }

  wakeAll() {
    for (const wake of this.waking.splice(0)) wake();
  }

  /** Adds a line to a file by writing all of it, if it still is what the link before has made of it. */
  submitLink(n, job) {
    const place = Math.floor(n / KINDS.length) % CHAINS;
    const chain = this.chains[place];
    const link = chain.before.then(async () => {
      const content = `${chain.text}m${n}x\n`;
      job.params = { path: `chained/${place}.txt`, content, expected_hash: sha256(chain.text) };
      job.wrong = ({ hash }) => hash !== sha256(content);
      await this.send(job);
      job.body = await this.client.outcome(job.id, Date.now() + 200_000, 'tg:222');
      if (job.body?.status === 'completed') chain.text = content;
    });
    chain.before = link.catch(() => undefined);
    return link;
  }

  /** Waits for the end of all that was accepted. */
  async end(limit) {
    const open = [...this.accepted.values()].filter((job) => job.body === undefined);
    await Promise.all(open.map(async (job) => (job.body = await this.client.outcome(job.id, limit, 'tg:222'))));
  }

  /** Looks all the while whether anybody can see a file that is half written. */
  async watch(over) {
    while (!over()) {
      const text = this.text('big.txt');
      this.seen += 1;
      if (text.length !== BIG || text !== text[0].repeat(BIG)) this.torn.push(`big.txt of ${text.length} characters`);
      await sleep(20);
    }
  }

  text(path) {
    return readFileSync(join(this.workspace, path), 'utf8');
  }

  get jobs() {
    return [...this.accepted.values()];
  }

  completed(kind) {
    return this.jobs.filter((job) => job.kind === kind && job.body?.status === 'completed');
  }

  /** @returns a sentence for each thing that is not as it must be */
  faults() {
    const lost = this.jobs.filter(({ body }) => body === undefined).map(({ id, tool }) => `${tool} ${id} has no end`);
    const bad = this.jobs
      .filter(({ body, wrong }) => body?.status === 'completed' && wrong(body.data))
      .map(({ kind, body }) => `${kind}: ${JSON.stringify(body.data).slice(0, 300)}`);
    const silent = this.jobs
      .filter(({ body }) => body !== undefined && body.status !== 'completed' && !body.error?.code)
      .map(({ id }) => `${id} ended without a word`);
    return [...lost, ...bad, ...silent, ...this.torn, ...this.patchFaults(), ...this.fileFaults()];
  }

  /** Lines of a patch: one where it was applied, one at most where its end is an error. */
  patchFaults() {
    return this.jobs
      .filter(({ kind }) => kind === 'patch')
      .flatMap(({ n, body }) => {
        const count = this.timesApplied(n);
        if (count === 1 && body?.status !== 'completed') this.untold += 1;
        const good = body?.status === 'completed' ? count === 1 : count <= 1;
        return good ? [] : [`patch of m${n}x (${body?.status}, ${body?.error?.code}) was applied ${count} times`];
      });
  }

  timesApplied(n) {
    const lines = this.text(`patched/${patchedBy(n)}.txt`).split('\n');
    return lines.filter((line) => line === `line of m${n}x`).length;
  }

  fileFaults() {
    const links = this.chains.flatMap(({ text }, place) =>
      this.text(`chained/${place}.txt`).startsWith(text) ? [] : [`chained/${place}.txt lacks what was told as written`],
    );
    const files = this.completed('new file').flatMap(({ n, params }) =>
      this.text(params.path) === `m${n}x\n` ? [] : [`${params.path} is not what was told as written`],
    );
    return [...links, ...files];
  }

  summary() {
    const kinds = Map.groupBy(this.jobs, ({ kind }) => kind);
    const rows = [...kinds].map(
      ([kind, jobs]) => `${kind.padEnd(10)}${String(jobs.length).padEnd(10)}${this.completed(kind).length}`,
    );
    const failed = this.jobs.filter(({ body }) => body && body.status !== 'completed');
    const codes = Map.groupBy(failed, ({ body }) => body.error?.code ?? 'no code');
    const told = [...codes].map(([code, all]) => ` (${all.length} ${code})`).join('');
    const done = this.jobs.length - failed.length;
    return `kind      accepted  completed\n${rows.join('\n')}\n\naccepted ${this.jobs.length}, completed ${done}, ended with an error ${failed.length}${told}, of them patches that were applied all the same ${this.untold}\na file that is replaced was looked at ${this.seen} times, half written ${this.torn.length}`;
  }
}
