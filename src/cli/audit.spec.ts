import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import stableStringify from 'safe-stable-stringify';
import { SigningKey } from '../adapters/signing-key.js';
import { chainHash, headText, type AuditEntry, type AuditRow, type SignedHead } from '../contracts/audit.js';
import { exportChain } from './audit-export.js';
import { verifyExport } from './audit-verify.js';
import { listRecord, showKeys, signHeads } from './audit.js';
import type { DagiClient } from './client.js';

const DAO = 'greenfood-dao';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function chainOf(length: number, actor = 'p_1', before: AuditRow[] = []): AuditRow[] {
  const rows = [...before];
  for (let seq = rows.length + 1; seq <= length; seq += 1) {
    const fields: AuditEntry = { seq, chain: DAO, at: '', actor, action: 'role.edit', subject: 'r', detail: {} };
    const entry = stableStringify(fields);
    rows.push({ seq, entry, hash: chainHash(sha256, rows.at(-1)?.hash ?? '', entry) });
  }
  return rows;
}

/** An instance as far as the commands ask it. */
class FakeInstance {
  readonly key = new SigningKey(generateKeyPairSync('ed25519').privateKey);
  readonly heads: SignedHead[] = [];
  signs = true;
  holds = true;

  constructor(public rows: AuditRow[]) {}

  sign(day: string, seq: number): SignedHead {
    const { key } = this;
    const hash = this.rows[seq - 1]?.hash ?? '';
    const head = { chain: DAO, day, seq, hash, at: `${day}T00:05:00.000Z`, key_id: key.key_id };
    return { ...head, signature: key.sign(headText(head)) };
  }

  readonly client = {
    json: (method: string, path: string) => Promise.resolve(this.answer(method, new URL(path, 'http://x'))),
  } as unknown as DagiClient;

  private signsNow(): boolean {
    return this.signs && this.holds;
  }

  private answer(method: string, { pathname, searchParams }: URL): unknown {
    const after = searchParams.get('after') ?? '';
    switch (`${method} ${pathname}`) {
      case 'GET /audit': {
        const found = this.rows.filter(({ seq }) => seq > Number(after)).slice(0, 3);
        const last = found.at(-1)?.seq ?? 0;
        // Somebody writes on while the export is under way.
        this.rows = chainOf(this.rows.length + 1, 'p_2', this.rows);
        return { ok: true, rows: found.map((row) => ({ ...row, actor_ids: [] })), next: String(last) };
      }
      case 'GET /audit/heads': {
        const [head] = this.heads.filter(({ day }) => day > after);
        const next = head && head !== this.heads.at(-1) ? head.day : null;
        return {
          ok: true,
          heads: head ? [head] : [],
          next,
          holds: this.holds,
          now: this.signsNow() ? this.sign('2026-11-28', this.rows.length) : null,
        };
      }
      case 'GET /audit/key': {
        const { key_id, public_key } = this.key;
        return { ok: true, key_id, keys: this.signs ? [{ key_id, public_key }] : [] };
      }
      default:
        return { ok: true, day: '2026-11-28', signed: 2, published: 2, broken: ['bad-dao'] };
    }
  }
}

describe('dagi audit', () => {
  let folder: string;
  let file: string;
  let instance: FakeInstance;
  const err = new PassThrough();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-test-audit-'));
    file = join(folder, 'export.jsonl');
    instance = new FakeInstance(chainOf(10));
    instance.heads.push(instance.sign('2026-11-01', 4), instance.sign('2026-11-02', 7));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('shows who did what', async () => {
    const { text } = await listRecord(instance.client, { dao: DAO, limit: 4 });
    expect(text).toMatch(/^1 +p_1 +role\.edit +r$/m);
    expect(text).toContain('and more: these are the first 6 (--limit)');
  });

  const exportIt = (): Promise<number> => exportChain(instance.client, { dao: DAO, out: file }, new PassThrough(), err);
  const put = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const key = (): string => put('key.pem', instance.key.public_key);
  const posted = (): string => put('heads.jsonl', instance.heads.map((head) => `${JSON.stringify(head)}\n`).join(''));

  /** The instance, while nobody writes anything. */
  const quiet = (): DagiClient => {
    const found = instance.rows;
    return {
      json: (method: string, path: string) =>
        path.startsWith('/audit?')
          ? Promise.resolve({ ok: true, rows: found, next: null })
          : instance.client.json(method, path),
    } as unknown as DagiClient;
  };

  /** Does something to the lines of the export; the header is the first. */
  function tamper(change: (lines: string[]) => string[]): void {
    writeFileSync(file, `${change(readFileSync(file, 'utf8').trim().split('\n')).join('\n')}\n`);
  }

  it('exports every row up to the head that closes the export, which proves them all', async () => {
    expect(await exportIt()).toBe(10);
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({ format: 'dagi-audit/1', chain: DAO, ends_at: 10, heads: instance.heads });
    expect(lines[1]).toEqual(chainOf(10)[0]);
    expect(lines.at(-1)).toMatchObject({ head: { seq: 10 } });
    expect(existsSync(`${file}.part`)).toBe(false);
    const { ok, text } = await verifyExport(file, { publicKey: [key()], heads: [posted()] });
    expect(text).toContain('proven up to row 10');
    expect(text).not.toContain('NOT proven');
    expect(ok).toBe(true);
  });

  it('writes to standard output where no file is named', async () => {
    const out = new PassThrough();
    const text = out.toArray();
    await exportChain(instance.client, { dao: DAO }, out, err);
    out.end();
    expect(
      Buffer.concat((await text) as Buffer[])
        .toString()
        .trim()
        .split('\n'),
    ).toHaveLength(12);
  });

  it('takes the keys of the export where none is given, and says so', async () => {
    await exportIt();
    const { ok, text } = await verifyExport(file, {});
    expect(ok).toBe(true);
    expect(text).toContain(`the key ${instance.key.key_id}, which came with the export`);
    expect((await verifyExport(file, { publicKey: [instance.key.public_key] })).text).not.toContain('came with');
  });

  it.each<[string, (lines: string[]) => string[], string]>([
    ['altered', (lines) => lines.with(5, lines[5]!.replace('role.edit', 'role.made')), '5    altered'],
    ['removed', (lines) => lines.toSpliced(5, 1), '5    removed'],
    ['moved', (lines) => lines.toSpliced(5, 1).toSpliced(7, 0, lines[5]!), '5    out of order'],
    ['doubled', (lines) => lines.toSpliced(5, 0, lines[5]!), '5    duplicated'],
    ['made no row', (lines) => lines.with(5, '{"seq":5'), '5    unreadable'],
  ])('names a row that was %s, in a table', async (_how, change, line) => {
    await exportIt();
    tamper(change);
    const { ok, text } = await verifyExport(file, { publicKey: [key()] });
    expect(ok).toBe(false);
    expect(text).toContain('TAMPERED');
    expect(text).toMatch(/^row +what +why$/m);
    expect(text).toContain(`\n${line}`);
  });

  it('finds an export that was cut off, with or without its closing head', async () => {
    await exportIt();
    tamper((lines) => lines.slice(0, 9));
    const { ok, text } = await verifyExport(file, {});
    expect(ok).toBe(false);
    expect(text).toContain('9 to 10  removed');
    tamper((lines) => lines.with(0, lines[0]!.replace('"ends_at":10', '"ends_at":8')));
    const shortened = await verifyExport(file, {});
    expect(shortened.ok).toBe(true);
    expect(shortened.text).toContain('NOT proven: the row behind it');
  });

  it('finds a chain that was written anew, by the heads that were posted before', async () => {
    const before = posted();
    instance.rows = chainOf(10, 'p_forger', instance.rows.slice(0, 4));
    instance.heads.splice(1, 1, instance.sign('2026-11-02', 7));
    await exportIt();
    expect((await verifyExport(file, { publicKey: [key()] })).ok).toBe(true);
    const { ok, text } = await verifyExport(file, { publicKey: [key()], heads: [before] });
    expect(ok).toBe(false);
    expect(text).toContain('5 to 7  rewritten');
    expect(text).toContain('proven up to row 4');
  });

  it('takes no head for genuine that another key has signed than those given', async () => {
    const noted = key();
    const forged = new FakeInstance(chainOf(10, 'p_forger'));
    await exportChain(forged.client, { dao: DAO, out: file }, new PassThrough(), err);
    expect((await verifyExport(file, {})).ok).toBe(true);
    const { ok, text } = await verifyExport(file, { publicKey: [noted] });
    expect(ok).toBe(false);
    expect(text).toContain('head not genuine');
    expect(text).toContain('no signed head proves any of it');
  });

  it('says plainly that nothing is proven where nothing is signed', async () => {
    instance.signs = false;
    instance.heads.length = 0;
    instance.rows = chainOf(2);
    await exportChain(quiet(), { dao: DAO, out: file }, new PassThrough(), err);
    const { ok, text } = await verifyExport(file, {});
    expect(ok).toBe(true);
    expect(text).toContain('no signed head proves any of it');
    expect(await showKeys(instance.client)).toContain('DAGI_SIGNING_KEY');
  });

  it('warns where the chain is not the one that was signed before, and closes with no head', async () => {
    instance.holds = false;
    expect(await exportChain(quiet(), { dao: DAO, out: file }, new PassThrough(), err)).toBe(10);
    expect(String(err.read())).toContain('is not the one that was signed before');
    expect(readFileSync(file, 'utf8')).not.toContain('{"head":');
  });

  it('refuses files that are something else, in a sentence', async () => {
    const failure = (code: string): object => expect.objectContaining({ code });
    await expect(verifyExport(put('a', 'no export'), {})).rejects.toEqual(failure('EXPORT_INVALID'));
    await expect(verifyExport(put('b', ''), {})).rejects.toEqual(failure('EXPORT_INVALID'));
    await expect(verifyExport(join(folder, 'nowhere'), {})).rejects.toEqual(failure('FILE_UNREADABLE'));
    await exportIt();
    await expect(verifyExport(file, { heads: [put('c', 'none\n')] })).rejects.toEqual(failure('FILE_UNREADABLE'));
    const others = put('e', `${JSON.stringify({ ...instance.heads[0], chain: 'orchard' })}\n`);
    await expect(verifyExport(file, { heads: [others] })).rejects.toEqual(failure('HEADS_OF_ANOTHER_DAO'));
    await expect(verifyExport(file, { publicKey: [put('d', 'none')] })).rejects.toEqual(failure('KEY_INVALID'));
    await expect(verifyExport(file, { publicKey: [join(folder, 'nowhere')] })).rejects.toEqual(
      failure('FILE_UNREADABLE'),
    );
  });

  it('tells what was signed, and that not all was', async () => {
    const { text, well } = await signHeads(instance.client);
    expect(text).toContain('2 signed');
    expect(text).toContain('NOT signed: bad-dao');
    expect(well).toBe(false);
    expect(await showKeys(instance.client)).toContain(instance.key.public_key.trim());
  });
});
