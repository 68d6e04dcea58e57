import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { ask, daoOf, part, query, quoted, readList } from './people.js';

describe('commands about people', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;

  beforeEach(() => {
    json.mockReset();
  });

  it('ask names the only version that may be changed', async () => {
    json.mockResolvedValue({ ok: true });
    await ask(client, 'PATCH', '/x', { body: { a: 1 }, version: '3' });
    await ask(client, 'DELETE', '/x');
    expect(json.mock.calls).toEqual([
      ['PATCH', '/x', { body: { a: 1 }, headers: { 'if-match': '"3"' } }],
      ['DELETE', '/x', {}],
    ]);
  });

  it.each([
    ['LAST_ADMIN', {}, /^No\. .*dagi member change MEMBER --roles admin/],
    ['KEY_REPLACED', { successor: 'k_2' }, /It is k_2\.$/],
    ['MEMBER_EXISTS', {}, /dagi member change/],
    ['INVITATION_ENDED', {}, /dagi member invite/],
    ['DAO_REQUIRED', {}, /--dao/],
    ['VERSION_CHANGED', { version: '7' }, /version 7 now.*--if-version 7/],
    ['VERSION_CHANGED', { version: null }, /Look at it again\.$/],
    ['SOMETHING_ELSE', {}, /^No\.$/],
  ])('ask tells what to do about %s', async (code, detail, message) => {
    json.mockRejectedValue(new CliError(code, 'No.', detail));
    await expect(ask(client, 'GET', '/x')).rejects.toMatchObject({
      code,
      detail,
      message: expect.stringMatching(message),
    });
  });

  it('ask leaves alone what is no refusal', async () => {
    const error = new TypeError('no');
    json.mockRejectedValue(error);
    await expect(ask(client, 'GET', '/x')).rejects.toBe(error);
  });

  it('daoOf asks for the DAO of the key where none is named', async () => {
    json.mockResolvedValue({ ok: true, dao_id: 'orchard' });
    expect(await daoOf(client, 'other')).toBe('other');
    expect(json).not.toHaveBeenCalled();
    expect(await daoOf(client, undefined)).toBe('orchard');
    expect(json).toHaveBeenLastCalledWith('GET', '/rbac/resolve', {});
  });

  it('part keeps a word within its place of a path', () => {
    expect(part('a/b?c')).toBe('a%2Fb%3Fc');
    expect(part('...')).toBe('...');
    for (const word of ['', '.', '..']) expect(() => part(word)).toThrow('names nothing');
  });

  it('query leaves out what is not given', () => {
    expect(query({ a: undefined })).toBe('');
    expect(query({ a: 'x y', b: undefined, c: '' })).toBe('?a=x+y&c=');
  });

  it('quoted makes a word that a shell takes as it is', () => {
    expect(quoted('chat.read,chat.write')).toBe('chat.read,chat.write');
    expect(quoted("it's $HOME\u001b[2J")).toBe(String.raw`'it'\''s $HOME[2J'`);
    expect(quoted('')).toBe("''");
  });

  describe(readList.name, () => {
    const entry = z.looseObject({ id: z.string() });
    const listing = { path: '/things', name: 'things', entry };
    const page = (from: number, count: number, next: string | null): object => ({
      ok: true,
      things: Array.from({ length: count }, (_, place) => ({ id: String(from + place) })),
      next,
    });

    it('reads page by page to the end', async () => {
      json.mockResolvedValueOnce(page(0, 200, '199')).mockResolvedValueOnce(page(200, 3, null));
      const { entries, answer, more } = await readList(client, { ...listing, filter: { role: 'a', user: undefined } });
      expect(entries).toHaveLength(203);
      expect([answer, more]).toEqual([{ ok: true, things: entries, next: null }, '']);
      expect(json.mock.calls.map(([, path]) => path)).toEqual([
        '/things?role=a&limit=200&after=',
        '/things?role=a&limit=200&after=199',
      ]);
    });

    it('reads no more than was asked for, and says that there is more', async () => {
      json.mockResolvedValueOnce(page(0, 200, '199')).mockResolvedValueOnce(page(200, 50, '249'));
      const { entries, answer, more } = await readList(client, { ...listing, limit: 250 });
      expect(entries).toHaveLength(250);
      expect(answer).toMatchObject({ next: '249' });
      expect(more).toBe('and more: these are the first 250 (--limit)\n');
      expect(json.mock.calls[1]?.[1]).toBe('/things?limit=50&after=199');
    });

    it('does not guess what another version says', async () => {
      json.mockResolvedValue({ ok: true, things: [{}] });
      await expect(readList(client, listing)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
    });
  });
});
