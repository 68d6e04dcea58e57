import { describe, expect, it } from '@jest/globals';
import { strict } from '../../../test/factories/strict.js';
import type { Asks } from '../../contracts/conversation.js';
import type { GateState } from '../../contracts/crew.js';
import type { SeenGate } from '../../contracts/crew-view.js';
import type { OpenUpdate } from '../../contracts/dialog.js';
import { newsPhrasesIn } from '../../domain/news/phrases.js';
import { AppError } from '../../errors/app-error.js';
import type { ErrorCode } from '../../errors/catalogue.js';
import type { CrewRunsService } from '../crew-runs.service.js';
import { gateTag } from '../dialogs/tags.js';
import { GatePresses } from './gate-presses.js';

const EN = newsPhrasesIn('en');
const GATE = { run_id: 'r1', id: 'output.plan-1', revision: 2 } as SeenGate;
const TAG = gateTag('r1', 'output.plan-1', 2);
const UPDATE = { id: 'u1', chat: 'c1', actor: 'tg:1', isAgain: false } as OpenUpdate;
const CHAT = { update: UPDATE, daoId: 'dao', language: 'en' as const };
const ASKS = { kind: 'gate', runId: 'r1', gate: 'output.plan-1', revision: 2, decision: 'return' } as const;

interface Situation {
  fails?: ErrorCode;
  open?: SeenGate[];
  state?: GateState;
}

function presses({ fails, open = [GATE], state = 'open' }: Situation = {}) {
  const decided: unknown[] = [];
  const asked: Asks[] = [];
  const gates = new GatePresses({
    runs: strict<CrewRunsService>('runs', {
      asked: (_key, named) => Promise.resolve(named.userId === 'tg:1' ? open : []),
      decide: (key, runId, made, named) => {
        if (fails) return Promise.reject(new AppError(fails));
        decided.push({ key: key.id, runId, made, named });
        return Promise.resolve({} as never);
      },
    }),
    views: { recentGates: () => Promise.resolve([{ runId: 'r1', gate: 'output.plan-1', revision: 2, state }]) },
    pending: { ask: (_update, _daoId, asks) => Promise.resolve(void asked.push(asks)) },
  });
  return { gates, decided, asked };
}

describe('a press under what a run asks', () => {
  it.each(['approve', 'reject', 'continue', 'stop'] as const)('should decide for whoever pressed: %s', async (act) => {
    const { gates, decided } = presses();
    expect(await gates.press(CHAT, { tag: TAG, act })).toBe(EN.decided);
    const made = { gate: 'output.plan-1', revision: 2, decision: act };
    expect(decided).toEqual([{ key: 'bots', runId: 'r1', made, named: { userId: 'tg:1' } }]);
  });

  it.each([
    ['return', EN.askComment],
    ['answer', EN.askAnswer],
  ] as const)('should ask for words first: %s', async (act, told) => {
    const { gates, decided, asked } = presses();
    expect(await gates.press(CHAT, { tag: TAG, act })).toBe(told);
    expect(asked).toEqual([{ ...ASKS, decision: act }]);
    expect(decided).toEqual([]);
  });

  it('should decide nothing that is not asked of them, or is another question by now', async () => {
    const { gates, decided } = presses();
    const stranger = { ...CHAT, update: { ...UPDATE, actor: 'tg:2' } };
    expect(await gates.press(stranger, { tag: TAG, act: 'approve' })).toBe(EN.notYours);
    expect(await gates.press(CHAT, { tag: gateTag('r1', 'output.plan-1', 1), act: 'approve' })).toBe(EN.changed);
    expect(decided).toEqual([]);
  });

  it.each([
    ['approved', `${EN.decidedEarlier} ${EN.states.approved}`],
    ['expired', EN.states.expired],
    ['closed', EN.states.closed],
  ] as const)('should say what has become of it: %s', async (state, words) => {
    const { gates } = presses({ open: [], state });
    expect(await gates.press(CHAT, { tag: TAG, act: 'approve' })).toBe(words);
    expect(await gates.press(CHAT, { tag: '0'.repeat(16), act: 'approve' })).toBe(EN.states.closed);
  });

  it.each([
    ['GATE_CLOSED', EN.decidedEarlier],
    ['DECISION_MADE', EN.decidedTwice],
    ['GATE_CHANGED', EN.changed],
    ['RUN_NOT_FOUND', EN.notYours],
  ] as const)('should say why it was not taken: %s', async (fails, told) => {
    expect(await presses({ fails }).gates.press(CHAT, { tag: TAG, act: 'approve' })).toBe(told);
  });

  it('should be tried again where something is away', async () => {
    const { gates } = presses({ fails: 'STORE_UNAVAILABLE' });
    await expect(gates.press(CHAT, { tag: TAG, act: 'approve' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('the words that a decision takes', () => {
  it('should be handed on, cut where they are too many', async () => {
    const { gates, decided } = presses();
    expect(await gates.answered(CHAT, 'x'.repeat(9_000), ASKS)).toBe(EN.passedOn);
    const [{ made }] = decided as [{ made: { comment: string; decision: string } }];
    expect(made).toMatchObject({ decision: 'return', revision: 2 });
    expect(made.comment.length).toBeLessThanOrEqual(4_000);
  });

  it('should have been handed on where that is known of a message that was taken up before', async () => {
    const again = { ...CHAT, update: { ...UPDATE, isAgain: true } };
    expect(await presses({ fails: 'DECISION_MADE' }).gates.answered(again, 'x', ASKS)).toBe(EN.passedOn);
    expect(await presses({ fails: 'GATE_CLOSED' }).gates.answered(CHAT, 'x', ASKS)).toBe(EN.decidedEarlier);
  });
});
