import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DialogRecord } from '../contracts/dialog-record.js';
import type { DagiClient } from './client.js';
import { exportDialogs, type DialogsExportOptions, type Exported } from './dialogs-export.js';
import { Pseudonyms } from './pseudonyms.js';

const prompt = (text: string): DialogRecord['prompts'][number] => ({
  ...{ text, response_time_ms: 3_200, provider: 'llm_local_qwen3_8b', rbac_role: 'member', status: 'success' },
});
const insights = { worked_well: 'Marked good: 1 of 1', issues: 'None', suggestions: 'Ask tg:1' };
const dialog = (id: string, user: string | null, texts: string[]): DialogRecord => ({
  ...{ dialog_id: id, timestamp: '2026-11-15T12:00:00.000Z', user_id: user, dao_id: 'greenfood-dao' },
  ...{ prompts: texts.map(prompt), insights },
});

/** An instance that shows a list two by two, and dialogs prompt by prompt. */
class FakeInstance {
  readonly asked: string[] = [];
  constructor(private readonly dialogs: DialogRecord[]) {}

  readonly client = {
    json: (_method: string, path: string) => Promise.resolve(this.answer(new URL(path, 'http://x'))),
  } as unknown as DagiClient;

  private answer({ pathname, searchParams, search }: URL): unknown {
    this.asked.push(pathname + search);
    const after = Number(searchParams.get('after') ?? 0);
    if (pathname === '/dialogs') {
      const next = after + 2 < this.dialogs.length ? String(after + 2) : null;
      return { ok: true, dialogs: this.dialogs.slice(after, after + 2), next };
    }
    const found = this.dialogs.find((one) => pathname === `/dialogs/${one.dialog_id}`)!;
    const next = after + 1 < found.prompts.length ? String(after + 1) : null;
    return { ok: true, ...found, prompts: found.prompts.slice(after, after + 1), next };
  }
}

describe(exportDialogs, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-test-dialogs-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const out = (): string => join(folder, 'out');
  const exported = (
    instance: FakeInstance,
    names?: Pseudonyms,
    options: Partial<DialogsExportOptions> = {},
  ): Promise<Exported> => exportDialogs(instance.client, { out: out(), ...options }, new PassThrough(), names);
  const file = (id: string): unknown => JSON.parse(readFileSync(join(out(), `dialog-${id}.json`), 'utf8'));

  it('writes each dialog as it was told, whole, with nothing beside, for the one who exports alone', async () => {
    const dialogs = [
      dialog('a1', 'tg:12345', ['Привіт! Що це за DAO?', 'A "quoted"\nline']),
      dialog('b2', null, ['Hello']),
      dialog('c3', 'tg:1', []),
    ];
    const instance = new FakeInstance(dialogs);
    expect(await exported(instance, undefined, { dao: 'greenfood-dao', since: '2026-11-01' })).toEqual({
      ...{ dialogs: 3, prompts: 3 },
    });
    for (const one of dialogs) expect(file(one.dialog_id)).toEqual(one);
    expect(readdirSync(out()).toSorted()).toEqual(['dialog-a1.json', 'dialog-b2.json', 'dialog-c3.json']);
    expect(statSync(join(out(), 'dialog-a1.json')).mode & 0o777).toBe(0o600);
    expect(statSync(out()).mode & 0o777).toBe(0o700);
    for (const asked of instance.asked) expect(asked).toMatch(/dao_id=greenfood-dao&since=2026-11-01T00%3A00%3A00Z&/);
  });

  it('names people otherwise, the same way in all dialogs of one export, and in no other', async () => {
    const dialogs = [dialog('a1', 'tg:12345', ['Is tg:1 an admin? At tg:12345x?']), dialog('b2', 'tg:1', ['Yes'])];
    const read = async () => {
      await exported(new FakeInstance(dialogs), new Pseudonyms());
      return ['a1', 'b2'].map((id) => file(id) as DialogRecord);
    };
    const [first, second] = await read();
    expect(first!.user_id).toMatch(/^user_[\da-f]{12}$/);
    expect(second!.user_id).not.toBe(first!.user_id);
    expect(first!.prompts[0]!.text).toBe(`Is ${second!.user_id} an admin? At tg:12345x?`);
    expect(first!.insights.suggestions).toBe(`Ask ${second!.user_id}`);
    const [again] = await read();
    expect(again!.user_id).not.toBe(first!.user_id);
  });

  it('names those otherwise, too, whom a message calls as its platform does', async () => {
    const text = 'Ask <@12345> or <@!12345>, [him](tg://user?id=1), <#12345> and 12345';
    await exported(new FakeInstance([dialog('a1', 'dc:12345', [text]), dialog('b2', 'tg:1', [])]), new Pseudonyms());
    const [{ user_id: he, prompts }, { user_id: other }] = ['a1', 'b2'].map((id) => file(id) as DialogRecord) as [
      DialogRecord,
      DialogRecord,
    ];
    expect(prompts[0]!.text).toBe(`Ask @${he} or @${he}, [him](@${other}), <#12345> and 12345`);
  });

  it('writes no file where a server tells it to', async () => {
    const wrong = new FakeInstance([dialog('../../elsewhere', 'tg:1', ['Hello'])]);
    await expect(exported(wrong)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
    expect(readdirSync(out())).toEqual([]);
  });
});
