import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { createDao, listDaos, setDao, showDao } from './dao.js';

const DAO = {
  ok: true,
  id: 'orchard',
  name: 'Or\u001b[2Jchard',
  facts: { purpose: 'Apples.\nAnd pears.' },
  profile: { language: 'en' },
  settings: { quorum: 0.25, role_weights: { admin: 2 } },
  limits: {},
  version: '4',
  created_at: '2026-11-28T00:00:00.000Z',
};

describe('dagi dao', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;
  const sent = (): unknown => json.mock.calls.at(-1)?.[2]?.body;

  beforeEach(() => {
    json.mockReset().mockResolvedValue(DAO);
  });

  it('list has a line for each', async () => {
    json.mockResolvedValue({ ok: true, daos: [DAO], next: null });
    const { text, answer } = await listDaos(client);
    expect(text.split('\n')).toEqual([
      'id       name        language  version  since',
      'orchard  Or[2Jchard  en        4        2026-11-28T00:00:00.000Z',
      '',
    ]);
    expect(answer).toEqual({ ok: true, daos: [DAO], next: null });
  });

  it('show has all that there is, and nothing that steers a terminal', async () => {
    const { text, answer } = await showDao(client, 'orchard');
    expect(json).toHaveBeenCalledWith('GET', '/daos/orchard', {});
    expect(answer).toBe(DAO);
    expect(text).toBe(
      [
        'orchard: Or[2Jchard',
        'version 4, since 2026-11-28T00:00:00.000Z',
        'profile',
        '  language: en',
        'settings',
        '  quorum: 0.25',
        '  role_weights: {"admin":2}',
        'facts',
        '  purpose: Apples.\nAnd pears.',
        '',
      ].join('\n'),
    );
  });

  it('create sends what is given', async () => {
    await createDao(client, 'orchard', { name: 'Orchard' });
    expect(sent()).toEqual({ id: 'orchard', name: 'Orchard', facts: {}, profile: {} });
    const fact = ['purpose=Apples = pears', 'empty='];
    await createDao(client, 'orchard', { name: 'O', admin: 'tg:1', fact, language: 'en', description: 'Trees.' });
    expect(sent()).toEqual({
      ...{ id: 'orchard', name: 'O', admin: 'tg:1' },
      facts: { purpose: 'Apples = pears', empty: '' },
      profile: { language: 'en', description: 'Trees.' },
    });
    await expect(createDao(client, 'orchard', { name: 'O', fact: ['purpose'] })).rejects.toThrow('NAME=TEXT');
  });

  it('set changes by name, and takes away', async () => {
    const changes = ['name=The = Orchard', 'facts.in season.now=Autumn', 'facts.old=', 'profile.language='];
    await setDao(client, 'orchard', [...changes, 'settings.sealed=true', 'settings.quorum=', 'limits.weight=2'], {
      ifVersion: '4',
    });
    expect(json.mock.calls).toEqual([
      [
        'PATCH',
        '/daos/orchard',
        {
          headers: { 'if-match': '"4"' },
          body: {
            name: 'The = Orchard',
            facts: { 'in season.now': 'Autumn', old: null },
            profile: { language: null },
            settings: { sealed: true, quorum: null },
            limits: { weight: 2 },
          },
        },
      ],
    ]);
    await setDao(client, 'orchard', ['settings.role_weights={"admin":2}']);
    expect(sent()).toEqual({ settings: { role_weights: { admin: 2 } } });
  });

  it.each(['quorum=1', 'other.x=1', 'facts.=x', 'settings.quorum=much', 'name', '=x'])(
    'set does not send %j',
    async (change) => {
      await expect(setDao(client, 'orchard', [change])).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
      expect(json).not.toHaveBeenCalled();
    },
  );

  it('does not guess what another version says', async () => {
    json.mockResolvedValue({ ok: true });
    await expect(showDao(client, 'orchard')).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });
});
