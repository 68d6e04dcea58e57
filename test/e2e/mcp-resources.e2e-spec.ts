import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { CrewCalls } from './crew-calls.js';
import { chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { callTool, mcpCall, type McpCallOptions, type McpMessage } from './mcp-client.js';

const OTHER = 'birch-dao';
const UPDATED = 'notifications/resources/updated';
const TEXT = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };

/** A crew that waits for an admin before it ends. */
const LETTERS = {
  name: 'Letters',
  description: 'Writes a letter.',
  inputs: { type: 'object', properties: { to: { type: 'string' } } },
  agents: { writer: { role: 'Writer', goal: 'Write.' } },
  tasks: {
    draft: {
      ...{ agent: 'writer', instruction: 'Draft a letter.', output: TEXT },
      approval: { ask: 'Shall it be sent?', roles: ['admin'], expires_after_s: 3_600 },
    },
  },
  result: { text: 'draft.text' },
};

const FILES: Readonly<Record<string, string | Buffer>> = {
  'README.md': '# Farm\n',
  'звіти/врожай 2026.txt': 'Гарбузи: 40 кг\n',
  'logo.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]),
  'long.txt': 'a line\n'.repeat(170_000),
  'bytes.bin': Buffer.alloc(1_500_000, 0),
  ...Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`many-${String(at).padStart(3, '0')}.txt`, 'one'])),
};

interface Read {
  uri: string;
  mimeType: string;
  text: string;
  blob: string;
}

describe('resources, subscriptions and prompts over MCP', () => {
  let fake: WireFake;
  let product: Product;
  let crews: CrewCalls;
  const keys: Record<'admin' | 'contributor' | 'member' | 'guest' | 'other' | 'otherGateway', string> = {
    ...{ admin: '', contributor: '', member: '', guest: '', other: '', otherGateway: '' },
  };
  let dialog: string;
  let run: string;
  let proposal: number;

  beforeAll(async () => {
    fake = await startFakeOpenAi({
      scripts: { 'Draft a letter.': [{ text: '{"text":"Dear all"}' }] },
    });
    product = await Product.open({
      profile: chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']),
      mcp: true,
    });
    crews = new CrewCalls(product);
    await product.createDao(OTHER, { 'tg:777': ['admin'] });
    const people = { admin: 'tg:1', contributor: 'tg:222', member: 'tg:12345', guest: 'tg:nobody' } as const;
    for (const [name, principal] of Object.entries(people))
      keys[name as keyof typeof people] = (await product.key({ dao_id: DAO, principal })).key;
    keys.other = (await product.key({ dao_id: OTHER, principal: 'tg:777' })).key;
    keys.otherGateway = (await product.key({ dao_id: OTHER })).key;
    for (const [path, content] of Object.entries(FILES)) {
      const file = join(product.home, 'workspaces', DAO, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    await product.route('How long do members vote?', { session_id: 'of-a-test' });
    await crews.put('letters', LETTERS);
    run = (await crews.start('letters', { to: 'all' })).body.request_id;
    proposal = await opened('Buy a second cold frame');
    dialog = await dialogOf('tg:12345');
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  /** Opens a proposal of a member. */
  async function opened(title: string, open = true): Promise<number> {
    const draft = { title, text: 'Seedlings freeze in March.', open };
    const { body } = await product.call('POST', '/proposals', { key: keys.member }, draft);
    return (body as unknown as { n: number }).n;
  }

  async function dialogOf(user: string): Promise<string> {
    const { body } = await product.call('GET', `/dialogs?dao_id=${DAO}&user_id=${user}`);
    return (body as unknown as { dialogs: { dialog_id: string }[] }).dialogs[0]!.dialog_id;
  }

  const answerOf = async (method: string, params: object, key: string, options: McpCallOptions = {}) =>
    (await mcpCall(product, method, { ...params }, { key, ...options })).answer;

  async function result<T>(method: string, params: object, key: string, options: McpCallOptions = {}): Promise<T> {
    const answer = await answerOf(method, params, key, options);
    if (!answer?.result) throw new Error(JSON.stringify(answer));
    return answer.result as unknown as T;
  }

  const read = async (path: string, key: string): Promise<Read> =>
    (await result<{ contents: Read[] }>('resources/read', { uri: `dagi://${DAO}${path}` }, key)).contents[0]!;

  const readObject = async (path: string, key: string): Promise<Record<string, unknown>> =>
    JSON.parse((await read(path, key)).text) as Record<string, unknown>;

  /** What is answered about an address, without the address. */
  const refusalOf = async (uri: string, key: string): Promise<string> => {
    const answer = await answerOf('resources/read', { uri }, key);
    expect(answer?.error).toMatchObject({ code: -32_602, data: { uri } });
    return JSON.stringify(answer).replaceAll(JSON.stringify(uri), '<uri>');
  };

  interface Listening {
    messages: McpMessage[];
    updated: () => string[];
    stop: () => void;
    ended: Promise<McpMessage | undefined>;
  }

  /** Subscribes, and waits until that has begun, or was refused. */
  async function listen(uris: string[], key: string): Promise<Listening> {
    const messages: McpMessage[] = [];
    const abort = new AbortController();
    const params = { notifications: { resourceSubscriptions: uris } };
    const onMessage = (message: McpMessage): void => {
      messages.push(message);
    };
    const call = mcpCall(product, 'subscriptions/listen', params, { key, signal: abort.signal, onMessage });
    const ended = call.then(
      ({ answer }) => answer,
      () => undefined,
    );
    await until(() => messages.length > 0, 'the subscription');
    const updated = (): string[] =>
      messages.filter(({ method }) => method === UPDATED).map(({ params: told }) => told?.uri as string);
    return { messages, updated, stop: () => abort.abort(), ended };
  }

  describe('what there is to read', () => {
    it('should be facts, proposals, dialogs and runs, as the API shows them', async () => {
      const dao = await product.call('GET', `/daos/${DAO}`);
      expect({ ok: true, ...(await readObject('', keys.member)) }).toEqual(dao.body);
      const shown = await product.call('GET', `/proposals/${proposal}`, { key: keys.member });
      expect({ ok: true, ...(await readObject(`/proposals/${proposal}`, keys.member)) }).toEqual({
        ...{ dao_id: DAO, ...shown.body, tally: expect.objectContaining({ ballots: 0, final: false }) },
      });
      expect(await readObject(`/dialogs/${dialog}`, keys.member)).toMatchObject({
        ...{ dialog_id: dialog, dao_id: DAO, user_id: 'tg:12345' },
        prompts: [{ text: 'How long do members vote?', status: 'success' }],
      });
      expect(await readObject(`/runs/${run}`, keys.member)).toMatchObject({
        ...{ run_id: run, crew: 'letters', status: 'waiting_approval', tasks: [{ task: 'draft' }] },
        gates: [{ ask: 'Shall it be sent?', may_decide: false }],
      });
      expect(await readObject(`/runs/${run}`, keys.admin)).toMatchObject({ gates: [{ may_decide: true }] });
    });

    it('should be files, whatever their names are, each look at one on the record', async () => {
      expect(await read('/workspace/README.md', keys.contributor)).toEqual({
        ...{ uri: `dagi://${DAO}/workspace/README.md`, mimeType: 'text/markdown', text: '# Farm\n' },
      });
      const path = ['звіти', 'врожай 2026.txt'].map(encodeURIComponent).join('/');
      expect((await read(`/workspace/${path}`, keys.contributor)).text).toBe('Гарбузи: 40 кг\n');
      const logo = await read('/workspace/logo.png', keys.contributor);
      expect(logo).toMatchObject({ mimeType: 'image/png', blob: (FILES['logo.png'] as Buffer).toString('base64') });
      expect(logo).not.toHaveProperty('text');
      const asked = await product.database.all
        .selectFrom('requests')
        .select(['mode', 'actor', 'source'])
        .where('mode', '=', 'devtools')
        .execute();
      expect(asked).toEqual(Array.from({ length: 3 }, () => ({ mode: 'devtools', actor: 'tg:222', source: 'mcp' })));
    });

    it('should be folders, whose entries lead on', async () => {
      const { entries } = (await readObject('/workspace', keys.contributor)) as { entries: Record<string, string>[] };
      const folder = entries.find(({ type }) => type === 'folder')!;
      expect(folder).toMatchObject({ path: 'звіти', uri: `dagi://${DAO}/workspace/${encodeURIComponent('звіти')}/` });
      for (const uri of [folder.uri!, folder.uri!.slice(0, -1)]) {
        const inner = (await readObject(uri.replace(`dagi://${DAO}`, ''), keys.contributor)) as {
          entries: Record<string, string>[];
        };
        const file = inner.entries[0]!.uri!.replace(`dagi://${DAO}`, '');
        expect((await read(file, keys.contributor)).text).toBe('Гарбузи: 40 кг\n');
      }
    });

    it('should say of what is too large how it is read', async () => {
      const long = await read('/workspace/long.txt', keys.contributor);
      expect(long.mimeType).toBe('text/plain');
      expect(long.text).toMatch(/^long\.txt has 1190000 bytes.*devtools_task.*fs_read/s);
      expect((await read('/workspace/bytes.bin', keys.contributor)).text).toMatch(/1500000 bytes.*no text/s);
    });

    it('should not be told apart from what is not there, or not open', async () => {
      const nowhere = await refusalOf(`dagi://${DAO}/proposals/9999`, keys.guest);
      const addresses = ['/proposals/x', '/proposals/0', '/nothing/1', '/dialogs/unknown', '/runs/unknown', '/runs'];
      for (const path of addresses) expect(await refusalOf(`dagi://${DAO}${path}`, keys.guest)).toBe(nowhere);
      for (const path of [`/dialogs/${dialog}`, `/runs/${run}`, '/workspace/README.md', '/workspace/none.md'])
        expect(await refusalOf(`dagi://${DAO}${path}`, keys.guest)).toBe(nowhere);
      for (const uri of ['http://example.org', 'dagi://', 'dagi://%E0/x', `dagi://${DAO}/workspace/..%2Fx`, ''])
        expect(await refusalOf(uri, keys.contributor)).toBe(nowhere);
      for (const path of ['none.md', '../x', 'README.md/', 'a//b', '%00'])
        expect(await refusalOf(`dagi://${DAO}/workspace/${path}`, keys.contributor)).toBe(nowhere);
    });

    it('should be the same nothing in another DAO, by every kind of key of it', async () => {
      for (const key of [keys.other, keys.otherGateway]) {
        const nothing = await refusalOf(`dagi://${OTHER}/proposals/9999`, key);
        for (const path of ['', `/proposals/${proposal}`, `/dialogs/${dialog}`, `/runs/${run}`, '/workspace/README.md'])
          for (const dao of [DAO, 'no-such-dao']) expect(await refusalOf(`dagi://${dao}${path}`, key)).toBe(nothing);
        for (const path of [`/dialogs/${dialog}`, `/runs/${run}`])
          expect(await refusalOf(`dagi://${OTHER}${path}`, key)).toBe(nothing);
      }
    });
  });

  describe('lists', () => {
    interface Listed {
      resources: { uri: string; name: string; size?: number; annotations?: object }[];
      nextCursor?: string;
      ttlMs: number;
      cacheScope: string;
    }

    async function pages(key: string): Promise<Listed[]> {
      const all: Listed[] = [];
      let cursor: string | undefined;
      do {
        const page = await result<Listed>('resources/list', cursor === undefined ? {} : { cursor }, key);
        all.push(page);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return all;
    }

    it('should be paged in one order, the same each time, without a gap', async () => {
      const found = await pages(keys.contributor);
      expect(found.length).toBeGreaterThan(2);
      for (const { resources, cacheScope } of found) {
        expect(resources.length).toBeLessThanOrEqual(50);
        expect(cacheScope).toBe('private');
      }
      const all = found.flatMap(({ resources }) => resources);
      expect(all.slice(0, 2).map(({ name }) => name)).toEqual([DAO, `proposal-${proposal}`]);
      const files = all.filter(({ uri }) => uri.includes('/workspace/')).map(({ name }) => name);
      expect(new Set(files).size).toBe(files.length);
      expect(files).toEqual(expect.arrayContaining(Object.keys(FILES).filter((path) => !path.includes('/'))));
      expect(all.find(({ name }) => name === 'README.md')).toMatchObject({
        ...{ size: 7, mimeType: 'text/markdown', annotations: { lastModified: expect.any(String) } },
      });
      expect((await pages(keys.contributor)).map(({ resources }) => resources)).toEqual(
        found.map(({ resources }) => resources),
      );
    });

    it('should hold what one may read, all of which can be read', async () => {
      const names = async (key: string): Promise<string[]> =>
        (await pages(key)).flatMap(({ resources }) => resources.map(({ name }) => name));
      expect(await names(keys.member)).toEqual([DAO, `proposal-${proposal}`, `run-${run}`, `dialog-${dialog}`]);
      expect(await names(keys.guest)).toEqual([DAO, `proposal-${proposal}`]);
      expect(await names(keys.other)).toEqual([OTHER, 'workspace']);
      for (const { resources } of await pages(keys.member))
        for (const { uri } of resources) await read(uri.slice(`dagi://${DAO}`.length), keys.member);
    });

    it('should refuse a cursor of elsewhere', async () => {
      const of = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const outside = Buffer.from('../x').toString('base64url');
      for (const cursor of ['', 'x', of([9, '']), of([1, 'x']), of([0, 'x']), of([5, outside]), of({ kind: 1 })]) {
        const answer = await answerOf('resources/list', { cursor }, keys.contributor);
        expect([cursor, answer?.error?.code]).toEqual([cursor, -32_602]);
      }
    });

    it('should name five patterns of addresses, and be there for older clients', async () => {
      const { resourceTemplates } = await result<{ resourceTemplates: { uriTemplate: string }[] }>(
        'resources/templates/list',
        {},
        keys.guest,
      );
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
        ...['dagi://{dao}', 'dagi://{dao}/proposals/{n}', 'dagi://{dao}/dialogs/{id}', 'dagi://{dao}/runs/{run_id}'],
        'dagi://{dao}/workspace/{+path}',
      ]);
      const legacy = { legacy: true };
      expect(await result('resources/list', {}, keys.guest, legacy)).toMatchObject({ resources: [{ name: DAO }, {}] });
      const uri = `dagi://${DAO}/proposals/9999`;
      expect((await answerOf('resources/read', { uri }, keys.guest, legacy))?.error).toMatchObject({ code: -32_602 });
      const client = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'old', version: '1' } };
      expect(await result('initialize', client, keys.guest, legacy)).toMatchObject({
        capabilities: { resources: {}, prompts: {}, completions: {} },
      });
      expect(await result('server/discover', {}, keys.guest)).toMatchObject({
        capabilities: { resources: { subscribe: true } },
      });
    });
  });

  describe('subscriptions', () => {
    it('should tell of what is subscribed as it changes, and of nothing else', async () => {
      const draft = await opened('Plant a hedge', false);
      const [ofDraft, ofRun] = [`dagi://${DAO}/proposals/${draft}`, `dagi://${DAO}/runs/${run}`];
      const mine = await listen([ofDraft, ofRun], keys.member);
      const others = await listen([`dagi://${DAO}`], keys.guest);
      expect(mine.messages[0]).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
      await product.call('POST', `/proposals/${draft}/open`, { key: keys.member });
      await until(() => mine.updated().includes(ofDraft), 'the news of the proposal', 5_000);
      expect(mine.updated()).toEqual([ofDraft]);
      await crews.decide(run, 'approve');
      await until(() => mine.updated().includes(ofRun), 'the news of the run', 5_000);
      await product.call('PATCH', `/daos/${DAO}`, {}, { facts: { motto: 'Eat.' } });
      await until(() => others.updated().length > 0, 'the news of the facts', 5_000);
      expect(others.updated()).toEqual([`dagi://${DAO}`]);
      mine.stop();
      others.stop();
      await Promise.all([mine.ended, others.ended]);
    });

    it('should be refused for what may not be read, and for too much', async () => {
      const refused = async (uris: string[], key: string): Promise<McpMessage['error']> =>
        (await (await listen(uris, key)).ended)?.error;
      const uri = `dagi://${DAO}/runs/${run}`;
      const nothing = { code: -32_602, data: { uri } };
      expect(await refused([`dagi://${DAO}`, uri], keys.guest)).toMatchObject(nothing);
      expect(await refused([uri], keys.other)).toMatchObject(nothing);
      expect(await refused([`dagi://${DAO}/workspace/README.md`], keys.contributor)).toMatchObject({
        message: expect.stringContaining('not watched'),
      });
      const many = Array.from({ length: 21 }, (_, at) => `dagi://${DAO}/proposals/${at + 1}`);
      expect(await refused(many, keys.member)).toMatchObject({ message: expect.stringContaining('at most 20') });
      const open: Listening[] = [];
      for (let at = 0; at < 10; at += 1) open.push(await listen([`dagi://${DAO}`], keys.guest));
      expect(await refused([`dagi://${DAO}`], keys.guest)).toMatchObject({
        message: expect.stringContaining('10 subscriptions'),
      });
      for (const { stop } of open) stop();
      await Promise.all(open.map(({ ended }) => ended));
      // A place is free again once the connection is seen to be gone.
      await until(async () => (await listen([`dagi://${DAO}`], keys.guest)).messages[0]?.error === undefined);
    });

    it('should end when the key is revoked', async () => {
      const { key, id } = await product.key({ dao_id: DAO, principal: 'tg:12345' });
      const { ended, updated } = await listen([`dagi://${DAO}`], key);
      await product.call('DELETE', `/keys/${id}`);
      expect(await ended).toMatchObject({ result: { resultType: 'complete' } });
      expect(updated()).toEqual([]);
    });
  });

  describe('prompts', () => {
    interface Got {
      messages: { role: string; content: { type: string; text: string; resource: Read } }[];
    }
    const get = async (name: string, args: object, key: string): Promise<string> => {
      const { messages } = await result<Got>('prompts/get', { name, arguments: args }, key);
      return messages.map(({ content }) => (content.type === 'text' ? content.text : content.resource.text)).join('\n');
    };

    it('should be listed with what they take', async () => {
      const { prompts } = await result<{
        prompts: { name: string; description: string; arguments: { name: string; required: boolean }[] }[];
      }>('prompts/list', {}, keys.guest);
      const shown = prompts.map(({ name, arguments: args }) => [
        name,
        ...args.map((arg) => `${arg.name}${arg.required ? '' : '?'}`),
      ]);
      expect(shown).toEqual([
        ...[
          ['review_proposal', 'number'],
          ['onboard_me', 'about?'],
          ['decompose_task', 'task'],
          ['code_review', 'path'],
        ],
        ...[['whats_new'], ['run_crew', 'crew', 'task?']],
      ]);
    });

    it('should hold the facts of the DAO, and the tools to use', async () => {
      const { messages } = await result<Got>(
        'prompts/get',
        { name: 'review_proposal', arguments: { number: String(proposal) } },
        keys.member,
      );
      expect(messages[0]?.content.resource).toMatchObject({ uri: `dagi://${DAO}/proposals/${proposal}` });
      expect(JSON.parse(messages[0]!.content.resource.text)).toMatchObject({ title: 'Buy a second cold frame' });
      expect(messages[1]?.content.text).toContain(
        `workflow_run with {"workflow":"proposal_review","inputs":{"dao_id":"${DAO}","n":${proposal}}}`,
      );
      expect(await get('onboard_me', { about: 'I grow beans.' }, keys.guest)).toMatch(
        /small cooperative.*microdao_onboarding/s,
      );
      expect(await get('decompose_task', { task: 'Build a shed' }, keys.member)).toContain('"task":"Build a shed"');
      expect(await get('code_review', { path: 'звіти/' }, keys.contributor)).toContain('"path":"звіти"');
      expect(await get('run_crew', { crew: 'letters' }, keys.member)).toMatch(/Writes a letter.*"to"/s);
    });

    it('should tell what is new, to whom it matters', async () => {
      const other = (await crews.start('letters', { to: 'others' })).body.request_id;
      expect(await get('whats_new', {}, keys.admin)).toContain(other);
      const news = await get('whats_new', {}, keys.guest);
      expect(news).toContain('Buy a second cold frame');
      expect(news).not.toContain(other);
    });

    it('should refuse what they are not, or do not take', async () => {
      const bad: [string, object][] = [
        ['nothing', {}],
        ['review_proposal', {}],
        ['review_proposal', { number: 'x' }],
        ['review_proposal', { number: '9999' }],
        ['whats_new', { more: 'x' }],
        ['run_crew', { crew: 'no_such_crew' }],
        ['decompose_task', { task: 'x'.repeat(4_001) }],
      ];
      for (const [name, args] of bad)
        expect((await answerOf('prompts/get', { name, arguments: args }, keys.member))?.error?.code).toBe(-32_602);
    });

    it('should have their arguments completed from what one may see', async () => {
      const complete = async (ref: object, name: string, value: string, key: string): Promise<string[]> => {
        const params = { ref, argument: { name, value } };
        const { completion } = await result<{ completion: { values: string[] } }>('completion/complete', params, key);
        return completion.values;
      };
      const prompt = (name: string): object => ({ type: 'ref/prompt', name });
      expect(await complete(prompt('review_proposal'), 'number', '', keys.guest)).toContain(String(proposal));
      expect(await complete(prompt('run_crew'), 'crew', 'let', keys.member)).toEqual(['letters']);
      expect(await complete(prompt('run_crew'), 'crew', 'let', keys.guest)).toEqual([]);
      expect(await complete(prompt('code_review'), 'path', 'зв', keys.contributor)).toEqual(['звіти/']);
      expect(await complete(prompt('code_review'), 'path', 'звіти/в', keys.contributor)).toEqual([
        'звіти/врожай 2026.txt',
      ]);
      expect(await complete(prompt('code_review'), 'path', '', keys.member)).toEqual([]);
      expect(await complete(prompt('code_review'), 'path', 'nowhere/', keys.contributor)).toEqual([]);
      expect(await complete(prompt('code_review'), 'other', '', keys.contributor)).toEqual([]);
      const template = { type: 'ref/resource', uri: 'dagi://{dao}/runs/{run_id}' };
      expect(await complete(template, 'run_id', '', keys.member)).toContain(run);
      expect(await complete(template, 'run_id', '', keys.guest)).toEqual([]);
      const unknown = { ref: prompt('nothing'), argument: { name: 'x', value: '' } };
      expect((await answerOf('completion/complete', unknown, keys.member))?.error?.code).toBe(-32_602);
    });
  });

  it('should lead from a run that is begun to its address', async () => {
    const { content, structuredContent } = await callTool(
      product,
      'workflow_run',
      { workflow: 'letters', inputs: { to: 'a friend' } },
      { key: keys.member },
    );
    const id = structuredContent?.run_id as string;
    expect(content?.map(({ type }) => type)).toEqual(['text', 'resource_link']);
    expect(content?.[1]).toMatchObject({ uri: `dagi://${DAO}/runs/${id}`, mimeType: 'application/json' });
  });

  it('should end what is subscribed when the process stops', async () => {
    const { ended } = await listen([`dagi://${DAO}`], keys.member);
    await product.stop();
    expect(await ended).toMatchObject({ result: { resultType: 'complete' } });
  });
});
