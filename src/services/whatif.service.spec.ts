import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import { aRecorded } from '../../test/factories/recorded.js';
import { anAccess, aTable, chain, matches, not } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { ProviderFiguresRepository } from '../adapters/store/provider-figures.repository.js';
import type { UsageRepository } from '../adapters/store/usage.repository.js';
import { LARGEST_PATTERN } from '../contracts/routing.js';
import type { RecordedDecision } from '../contracts/whatif.js';
import { AppError } from '../errors/app-error.js';
import type { Accepted } from './accepted.js';
import type { AccessService } from './access.service.js';
import type { RecordedDecisions } from './recorded-decisions.js';
import { WhatIfService, type TrialRunner, type WhatIfDeps, type WhatIfQuestion } from './whatif.service.js';

const KEY = aCaller({ id: 'admin', principal: 'api:admin' });
const NOW = aTable([{}], { hash: 'aaaaaaaa' });
const OTHER = aTable([{ use: chain('third'), fallbacks: [] }], { hash: 'bbbbbbbb' });
const SUBMISSION = { requestId: 'new', receivedAt: new Date() };

describe('WhatIfService', () => {
  let recorded: RecordedDecision[];
  let denied: AppError | undefined;
  const trial = jest.fn<TrialRunner['trial']>();

  beforeEach(() => {
    recorded = [];
    denied = undefined;
    trial.mockReset();
  });

  const service = (parts: Partial<WhatIfDeps> = {}): WhatIfService =>
    new WhatIfService({
      access: strict<AccessService>('access', {
        requirePlatform: () => (denied ? Promise.reject(denied) : Promise.resolve({ actor: 'api:admin' })),
      }),
      recorded: strict<RecordedDecisions>('recorded', {
        async *newest() {
          for (const one of recorded) yield [one];
        },
        find: (ids) => Promise.resolve(recorded.filter(({ id, was }) => was.allowed && ids.has(id))),
      }),
      figures: strict<ProviderFiguresRepository>('figures', {
        figures: () =>
          Promise.resolve([{ provider: 'third', calls: 5, p50Ms: 700, promptTokens: 100, completionTokens: 50 }]),
      }),
      usage: strict<UsageRepository>('usage', { report: () => Promise.resolve([]) }),
      trials: { trial },
      providers: () => ['first', 'second', 'third'],
      ...parts,
    });

  const question = (changes: Partial<WhatIfQuestion> = {}): WhatIfQuestion => ({
    table: OTHER,
    since: undefined,
    limit: 100,
    trials: 0,
    ...changes,
  });

  it('compares what was decided with what another table says, without a text', async () => {
    recorded = [aRecorded(NOW, { prompt: 'needle' }), aRecorded(OTHER, { prompt: 'needle' })];
    const report = await service().run(KEY, question());
    expect(report).toMatchObject({ hash: 'bbbbbbbb', requests: 2, unchanged: 1, changed: 1, trials: [] });
    expect(report.groups).toMatchObject([
      {
        from: 'first → second',
        to: 'third',
        examples: [recorded[0]?.id],
        expected: { from: null, to: { p50_ms: 700 } },
      },
    ]);
    expect(JSON.stringify(report)).not.toContain('needle');
  });

  it('refuses a table whose patterns are none, wherever they stand', async () => {
    const bad = matches('(?=lookahead)');
    for (const table of [
      aTable([{ condition: not(bad) }]),
      { ...aTable(), answers: [{ question: 'help' as const, condition: bad }] },
      { ...aTable([]), defaultRule: { ...aTable().rules[0]!, condition: bad } },
    ]) {
      await expect(service().run(KEY, question({ table }))).rejects.toMatchObject({ code: 'BODY_INVALID' });
    }
  });

  it('refuses a table whose patterns take long to search for, one or all together, before it reads anything', async () => {
    const idle = { recorded: strict<RecordedDecisions>('recorded', {}) };
    const ask = (...patterns: string[]): Promise<unknown> => {
      const table = aTable(patterns.map((pattern) => ({ condition: matches(pattern) })));
      return service(idle).run(KEY, question({ table }));
    };
    await expect(ask(`a.{${LARGEST_PATTERN}}`)).rejects.toMatchObject({
      code: 'BODY_INVALID',
      message: expect.stringMatching(/too large: \d+ instructions, at most 300/) as unknown,
    });
    const large = Array.from({ length: 50 }, (_, n) => `${n}.{250}`);
    await expect(ask(...large)).rejects.toMatchObject({
      message: 'The patterns of the table are too large together.',
    });
    await expect(
      service().run(KEY, question({ table: aTable([{ condition: matches('a.{250}') }]) })),
    ).resolves.toBeTruthy();
  });

  it('is for the administrator of the platform alone', async () => {
    denied = new AppError('RBAC_PERMISSION_DENIED');
    await expect(service().run(KEY, question())).rejects.toBe(denied);
    await expect(service().trial(KEY, 'id', 'third', SUBMISSION)).rejects.toBe(denied);
    expect(trial).not.toHaveBeenCalled();
  });

  it('offers requests to try, of each group in turn, with who would answer them', async () => {
    const [a, b, c] = [aRecorded(NOW), aRecorded(NOW), aRecorded(aTable([{ use: chain('second'), fallbacks: [] }]))];
    const refused = aRecorded(NOW, { access: anAccess(['guest']) });
    const erased = aRecorded(NOW, {}, { at: new Date(0) });
    recorded = [a, b, c, refused, { ...erased, inputs: { ...erased.inputs, promptHead: undefined } }];
    const { trials } = await service().run(KEY, question({ trials: 10 }));
    const offer = { dao_id: 'greenfood-dao', provider: 'third', runnable: true, is_new: true };
    const ids = trials.map(({ request_id }) => request_id);
    expect(new Set(ids)).toEqual(new Set([a.id, b.id, c.id]));
    // The largest group first, then the other one, before the first has its second turn.
    expect(ids[1]).toBe(c.id);
    expect(trials[0]).toEqual({ ...offer, request_id: ids[0] });
    expect((await service().run(KEY, question({ trials: 2 }))).trials).toEqual(trials.slice(0, 2));
  });

  it('says which provider is not there, and which one knows the DAO', async () => {
    recorded = [aRecorded(NOW)];
    const row = { name: 'third', requests: 1, promptTokens: 1, completionTokens: 1, costUsd: 0 };
    const report = jest.fn<UsageRepository['report']>().mockResolvedValue([row]);
    const parts = { usage: strict<UsageRepository>('usage', { report }), providers: () => ['first'] };
    const { trials } = await service(parts).run(KEY, question({ trials: 1 }));
    expect(trials).toMatchObject([{ provider: 'third', runnable: false, is_new: false }]);
    expect(report.mock.calls[0]?.[0]).toMatchObject({ daoId: 'greenfood-dao', by: 'provider' });
  });

  it('hands a trial on', async () => {
    const accepted = { requestId: 'new' } as Accepted;
    trial.mockResolvedValue(accepted);
    expect(await service().trial(KEY, 'old', 'third', SUBMISSION)).toBe(accepted);
    expect(trial.mock.calls).toEqual([[KEY, 'old', 'third', SUBMISSION]]);
  });
});
