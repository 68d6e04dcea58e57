import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { DialogInput, DialogStep } from '../../../src/contracts/dialog.js';
import { dialogWorkflowId, WORKFLOWS } from '../../../src/contracts/ids.js';
import type { dialog } from '../../../workflows/index.js';
import { POKE_DIALOG_SIGNAL, type DialogPoke } from '../../../workflows/dialog/messages.js';
import { fail, Script } from '../../fakes/scripted-activities.js';
import type { Stage } from '../../workflows/stage.js';
import { waysThrough } from './shape.js';

type Step = () => Promise<DialogStep>;

const SOON = 100;

const did =
  (changes: Partial<DialogStep> = {}): Step =>
  async () => ({ isMore: false, waitMs: null, ...changes });

interface Play {
  turns?: Step[];
  acts?: Step[];
  says?: Step[];
  /** Memories that are made. */
  remembers?: number;
  /** What is said to have come in; absent: anything. */
  lane?: DialogPoke;
}

async function play(
  stage: Stage,
  id: string,
  { turns = [], acts = [], says = [], remembers = 0, lane = ['turn'] }: Play,
): Promise<History> {
  const input: DialogInput = { version: 1, source: 'tg', chat: id, topic: '' };
  const scripts = {
    answerNext: new Script<DialogInput, DialogStep>('answerNext', turns),
    doActs: new Script<DialogInput, DialogStep>('doActs', acts),
    sayNext: new Script<DialogInput, DialogStep>('sayNext', says),
    remember: new Script<DialogInput, undefined>(
      'remember',
      Array.from({ length: remembers }, () => async () => undefined),
    ),
  };
  const history = await stage.run(
    {
      answerNext: (given: DialogInput) => scripts.answerNext.play(given),
      doActs: (given: DialogInput) => scripts.doActs.play(given),
      sayNext: (given: DialogInput) => scripts.sayNext.play(given),
      remember: (given: DialogInput) => scripts.remember.play(given),
    },
    ({ workflow }, taskQueue) =>
      // As in src/adapters/temporal/gateway.ts.
      workflow.signalWithStart<typeof dialog, DialogPoke>(WORKFLOWS.dialog, {
        ...{ args: [input], signal: POKE_DIALOG_SIGNAL, signalArgs: lane, taskQueue, workflowTaskTimeout: '5s' },
        workflowId: dialogWorkflowId(input),
      }),
  );
  Object.values(scripts).forEach((script) => {
    script.assertPlayed();
  });
  return history;
}

/** Every way of a chat through its workflow. */
export const DIALOG_SHAPES = waysThrough('dialog', {
  'dialog-answered': {
    activities: ['answerNext'],
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, { turns: [did()] }),
  },
  'dialog-several': {
    activities: ['answerNext', 'answerNext', 'answerNext'],
    closes: 'COMPLETED',
    events: 23,
    play: (stage, id) => play(stage, id, { turns: [did({ isMore: true }), did({ isMore: true }), did()] }),
  },
  'dialog-act-wakes-turn': {
    activities: ['doActs', 'answerNext'],
    closes: 'COMPLETED',
    events: 17,
    play: (stage, id) => play(stage, id, { acts: [did({ wakes: ['turn'] })], turns: [did()], lane: ['act'] }),
  },
  'dialog-act-says': {
    activities: ['doActs', 'sayNext'],
    closes: 'COMPLETED',
    events: 17,
    play: (stage, id) => play(stage, id, { acts: [did({ wakes: ['say'] })], says: [did()], lane: ['act'] }),
  },
  'dialog-remembers': {
    activities: ['answerNext', 'remember'],
    closes: 'COMPLETED',
    events: 17,
    play: (stage, id) =>
      play(stage, id, { turns: [did({ remember: { daoId: 'a-dao', chat: 'chat' } })], remembers: 1 }),
  },
  'dialog-due-later': {
    activities: ['answerNext', 'answerNext'],
    closes: 'COMPLETED',
    events: 20,
    play: (stage, id) => play(stage, id, { turns: [did({ waitMs: SOON }), did()] }),
  },
  'dialog-store-away': {
    activities: ['answerNext'],
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, { turns: [fail('StoreUnavailable'), did()] }),
  },
  'dialog-refused': {
    activities: ['answerNext'],
    closes: 'FAILED',
    events: 11,
    play: (stage, id) => play(stage, id, { turns: [fail('Internal')] }),
  },
});
