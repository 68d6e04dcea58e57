import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anUpdate } from '../../../test/factories/conversation.js';
import type { InboxRepository, NextUpdate } from '../../adapters/store/inbox.repository.js';
import { JoiningService } from './joining.js';

const WITHIN = 1_000;

describe(JoiningService, () => {
  const behind = jest.fn<InboxRepository['behind']>();
  const join = jest.fn<InboxRepository['join']>();
  let within: number;
  const joining = new JoiningService({ behind, join }, () => within);
  const next = (changes: Partial<NextUpdate> = {}): NextUpdate => ({ ...anUpdate(), isMore: false, ...changes });
  const waiting = (id: string, ms: number, actor = 'tg:12345') => ({
    ...{ id, actor, isFree: true, receivedAt: new Date(anUpdate().receivedAt.getTime() + ms) },
    body: { kind: 'message' as const, text: id },
  });

  beforeEach(() => {
    jest.resetAllMocks();
    within = WITHIN;
  });

  it('asks nobody where it is off, or where a message stands by itself', async () => {
    const command = next({ body: { kind: 'message', text: '/help' } });
    expect(await joining.settle(command)).toEqual({ update: command });
    within = 0;
    const plain = next({ isMore: true });
    expect(await joining.settle(plain)).toEqual({ update: plain });
    expect(behind).not.toHaveBeenCalled();
    expect(join).not.toHaveBeenCalled();
  });

  it('has a chat sleep until there can be no more', async () => {
    const settled = await joining.settle(next({ receivedAt: new Date() }));
    if (!('step' in settled)) throw new Error('it was settled at once');
    expect(settled.step).toMatchObject({ isMore: false });
    expect(settled.step.waitMs).toBeGreaterThan(WITHIN / 2);
    expect(settled.step.waitMs).toBeLessThanOrEqual(WITHIN);
    expect(join).not.toHaveBeenCalled();
  });

  it('decides it on record, alone or with others, and tells whether there is more behind them', async () => {
    const alone = next();
    const body = { kind: 'message' as const, text: 'hi', more: [] };
    join.mockResolvedValue({ body, revision: 1 });
    expect(await joining.settle(alone)).toEqual({ update: { ...alone, body } });
    expect(join).toHaveBeenLastCalledWith(alone, []);
    expect(behind).not.toHaveBeenCalled();

    const several = next({ isMore: true });
    behind.mockResolvedValue([waiting('a', 100), waiting('b', 200)]);
    join.mockResolvedValue({ body, revision: 3 });
    expect(await joining.settle(several)).toMatchObject({ update: { isMore: false, revision: 3 } });
    expect(join).toHaveBeenLastCalledWith(several, ['a', 'b']);
    behind.mockResolvedValue([waiting('a', 100), waiting('b', 200, 'tg:8')]);
    expect(await joining.settle(several)).toMatchObject({ update: { isMore: true } });
    expect(join).toHaveBeenLastCalledWith(several, ['a']);
  });

  it('has waited for others, and has not begun with it: it is none that is taken up again', async () => {
    const waited = next({ isAgain: true });
    join.mockResolvedValue({ body: { kind: 'message', text: 'hi', more: [] }, revision: 1 });
    expect(await joining.settle(waited)).toMatchObject({ update: { isAgain: false } });
    within = 0;
    expect(await joining.settle(waited)).toMatchObject({ update: { isAgain: true } });
  });

  it('looks again where another one has decided it', async () => {
    join.mockResolvedValue(undefined);
    expect(await joining.settle(next())).toEqual({ step: { isMore: true, waitMs: null } });
  });
});
