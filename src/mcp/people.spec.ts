import { describe, expect, it } from '@jest/globals';
import { CLIENT_CAPABILITIES_META_KEY, type ServerContext } from '@modelcontextprotocol/server';
import type { SeenGate, SeenRun } from '../contracts/crew-view.js';
import type { McpCaller } from './caller.js';
import { askedBefore, callKey, canAsk, decisionsIn, questionsOf } from './people.js';
import type { ToolCall } from './tool.js';

const gate = (given: Partial<SeenGate> = {}): SeenGate =>
  ({
    ...{ id: 'approve_role', kind: 'approval', state: 'open', ask: 'Give the role?', shown: { role: 'member' } },
    ...{ revision: 2, may_decide: true, ...given },
  }) as SeenGate;

const runWith = (...gates: SeenGate[]): SeenRun => ({ gates }) as SeenRun;

const callWith = (given: {
  era?: ToolCall['era'];
  capabilities?: object;
  state?: unknown;
  given?: unknown;
}): ToolCall => ({
  ...{ caller: {} as McpCaller, era: given.era ?? 'modern', name: 'workflow_run', given: given.given ?? { a: 1 } },
  context: {
    mcpReq: {
      envelope: { [CLIENT_CAPABILITIES_META_KEY]: given.capabilities ?? {} },
      requestState: () => given.state,
    },
  } as unknown as ServerContext,
});

describe(canAsk, () => {
  it('should be so where the client says with the call that it has forms', () => {
    expect(canAsk(callWith({ capabilities: { elicitation: {} } }))).toBe(true);
    expect(canAsk(callWith({ capabilities: { elicitation: { form: {} } } }))).toBe(true);
  });

  it('should not be so for links alone, for nothing said, and for older clients without a connection of their own', () => {
    expect(canAsk(callWith({ capabilities: { elicitation: { url: {} } } }))).toBe(false);
    expect(canAsk(callWith({}))).toBe(false);
    expect(canAsk(callWith({ capabilities: { elicitation: 'yes' } }))).toBe(false);
    expect(canAsk(callWith({ era: 'legacy', capabilities: { elicitation: {} } }))).toBe(false);
  });
});

describe(askedBefore, () => {
  it('should know its own call again, in whatever order its arguments come, and no other', () => {
    const state = { call: callKey(callWith({ given: { a: 1, b: 2 } })), run: 'r' };
    expect(askedBefore(callWith({ given: { b: 2, a: 1 }, state }))).toEqual(state);
    expect(askedBefore(callWith({ given: { a: 1, b: 3 }, state }))).toBeUndefined();
    expect(askedBefore(callWith({}))).toBeUndefined();
  });
});

describe(questionsOf, () => {
  it('should ask what is open and theirs, each state of it under a name of its own', () => {
    const questions = questionsOf([
      gate(),
      gate({ id: 'theirs', may_decide: false }),
      gate({ id: 'done', state: 'approved' }),
      gate({ id: 'ask', kind: 'question', revision: 1 }),
    ]);
    expect(Object.keys(questions)).toEqual(['approve_role@2', 'ask@1']);
    expect(questions['approve_role@2']).toMatchObject({
      method: 'elicitation/create',
      params: { requestedSchema: { properties: { decision: { enum: ['reject', 'return', 'approve'] } } } },
    });
  });
});

describe(decisionsIn, () => {
  const accept = (content: object): object => ({ action: 'accept', content });

  it('should take what the person said of the state that they saw', () => {
    const made = decisionsIn(runWith(gate()), { 'approve_role@2': accept({ decision: 'approve', comment: 'yes' }) });
    expect(made).toEqual([{ decision: 'approve', gate: 'approve_role', revision: 2, comment: 'yes' }]);
    expect(
      decisionsIn(runWith(gate({ kind: 'question' })), { 'approve_role@2': accept({ comment: 'Monday' }) }),
    ).toEqual([{ decision: 'answer', gate: 'approve_role', revision: 2, comment: 'Monday' }]);
  });

  it.each([
    ['of an earlier state', { 'approve_role@1': accept({ decision: 'approve' }) }],
    ['declined', { 'approve_role@2': { action: 'decline' } }],
    ['closed', { 'approve_role@2': { action: 'cancel' } }],
    ['that cannot be decided there', { 'approve_role@2': accept({ decision: 'continue' }) }],
    ['without a decision', { 'approve_role@2': accept({}) }],
    ['that is no form', { 'approve_role@2': 5 }],
    ['of nothing', undefined],
  ])('should take nothing %s for a decision', (_, responses) => {
    expect(decisionsIn(runWith(gate()), responses as Record<string, unknown> | undefined)).toEqual([]);
  });

  it('should decide nothing that is not theirs', () => {
    const responses = { 'approve_role@2': accept({ decision: 'approve' }) };
    expect(decisionsIn(runWith(gate({ may_decide: false })), responses)).toEqual([]);
  });
});
