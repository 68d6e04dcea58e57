import { Option, type Command } from 'commander';
import type { GateDecision } from '../contracts/crew.js';
import type { DagiClient } from './client.js';
import { compareRuns } from './crew-compare.js';
import { cancelRun, decideRun, type DecideOptions } from './crew-decisions.js';
import { DECISIONS, openGates } from './crew-gates.js';
import { watchRun } from './crew-follow.js';
import type { InputOptions } from './crew-inputs.js';
import { listCrews, listGates, listRuns, RUN_STATES, type ListRunsOptions } from './crew-lists.js';
import { rerun, startRun, type RerunOptions, type StartedRun } from './crew-run.js';
import { failureOf, resultOf, seenRun, showRun, whereSeen } from './crew-seen.js';
import {
  AS_OPTION,
  clientOf,
  LIMIT_OPTION,
  parseCount,
  run,
  shown,
  withActing,
  withCommon,
  type Common,
} from './people-options.js';
import type { Acting } from './proposal.js';

const RUN_ARGUMENT = ['<run>', 'id of the run'] as const;

const RUN_HELP = `
Standard error tells who works on what, standard output the result as Markdown; with --json it is the run as "crew show"
has it. Where it waits for people, what is asked and how to decide it is told instead. Ctrl-C leaves the run going.
A value of --input is JSON where it is JSON, else a text: count=3, tags='["a"]', task="Make a garden"; a text that
looks like JSON is put in quotes twice: title='"2024"'.`;

type RunOptions = Acting & InputOptions & Common & { follow: boolean };

/** Adds to `dagi crew` what is done with runs: run, rerun, show, compare, runs, gates, list, six ways to decide, cancel. */
export function addCrewRunCommands(crew: Command): void {
  addList(crew);
  addRun(crew);
  addRerun(crew);
  addShow(crew);
  addCompare(crew);
  addRuns(crew);
  addGates(crew);
  addDecisions(crew);
  addCancel(crew);
}

function addList(crew: Command): void {
  withActing(
    crew.command('list').description('crews of a DAO: those that come along, and its own'),
    'crew list --dao orchard',
  ).action((options: Acting & Common) => run(options, (client) => listCrews(client, options)));
}

function addRun(crew: Command): void {
  withActing(
    withInputs(
      crew
        .command('run')
        .description('start a run, and follow it to its result or to what it asks')
        .argument('<id>', 'the crew')
        .argument('[words...]', 'what is wanted, for crews that take words'),
    ),
    'crew run task_decomposition "Make a garden"',
    'crew run code_review --input path=src --json | jq .result.result',
  ).action(async (crew: string, words: string[], options: RunOptions) => {
    const client = await clientOf(options);
    await follow(client, await startRun(client, crew, words, options), options);
  });
}

function addRerun(crew: Command): void {
  withCommon(
    withInputs(
      crew
        .command('rerun')
        .description('run again: what failed, all from a task on, or what depends on inputs that are others')
        .argument('<run>', 'id of the earlier run')
        .option('--from <task>', 'the first task that is done again')
        .option(...AS_OPTION),
    ),
    'crew rerun RUN',
    'crew rerun RUN --from estimate',
    'crew rerun RUN --input task="Make a smaller garden"',
  ).action(async (earlier: string, options: RerunOptions & Common & { follow: boolean }) => {
    const client = await clientOf(options);
    await follow(client, await rerun(client, earlier, options), options);
  });
}

const withInputs = (command: Command): Command =>
  command
    .option('--input <name=value>', 'an input; may be said again', collect)
    .option('--inputs <file>', 'a file with the inputs as JSON')
    .option('--no-follow', 'do not wait for anything')
    .addHelpText('after', RUN_HELP);

const collect = (text: string, all: string[] | undefined): string[] => [...(all ?? []), text];

/** Follows a run that has begun, unless nobody wants that. */
async function follow(
  client: DagiClient,
  { id, answer }: StartedRun,
  options: Common & { as?: string; follow: boolean },
): Promise<void> {
  if (!options.follow) {
    const text = `run ${id} is under way; see it: npx dagi crew show ${id}\n`;
    process.stdout.write(shown({ answer, text }, options));
    return;
  }
  const seen = await watchRun(client, id, options);
  if (seen !== undefined) tell(seen, options);
}

/** Prints what a run has come to. @throws CliError why it came to nothing */
function tell(answer: unknown, { json = false, as }: Common & { as?: string }): void {
  const seen = seenRun(answer);
  const failure = failureOf(seen);
  const text = openGates(seen.run_id, seen.gates, as) + resultOf(seen);
  if (!failure || json) process.stdout.write(shown({ answer, text }, { json }));
  if (failure) throw whereSeen(failure, seen.run_id);
}

function addShow(crew: Command): void {
  withCommon(
    crew
      .command('show')
      .description('how a run stands, task by task; what it asks of people; what it came to')
      .argument(...RUN_ARGUMENT)
      .option(...AS_OPTION),
    'crew show RUN',
    "crew show RUN --json | jq '.steps[].input'",
  ).action((id: string, options: { as?: string } & Common) => run(options, (client) => showRun(client, id, options)));
}

function addCompare(crew: Command): void {
  withCommon(
    crew
      .command('compare')
      .description('two runs of a crew, task by task: what came of each, what differs, what it took')
      .argument('<first>', 'id of a run')
      .argument('<second>', 'id of another one')
      .option(...AS_OPTION),
    'crew compare RUN OTHER',
  ).action((first: string, second: string, options: { as?: string } & Common) =>
    run(options, (client) => compareRuns(client, first, second, options)),
  );
}

function addRuns(crew: Command): void {
  withActing(
    crew
      .command('runs')
      .description('runs of a DAO, the newest first: your own, or all for admins; those that wait are running, too')
      .option('--crew <id>', 'those of this crew')
      .addOption(new Option('--state <state>', 'those that stand so').choices([...RUN_STATES]))
      .option(...LIMIT_OPTION),
    'crew runs --state waiting_approval',
  ).action((options: ListRunsOptions & Common) => run(options, (client) => listRuns(client, options)));
}

function addGates(crew: Command): void {
  withActing(
    crew.command('gates').description('what runs of a DAO ask of you, the oldest first, and how to decide it'),
    'crew gates --as tg:1',
  ).action((options: Acting & Common) => run(options, (client) => listGates(client, options)));
}

function addDecisions(crew: Command): void {
  for (const [name, { does, words, example }] of Object.entries(DECISIONS)) {
    const decision = name as GateDecision['decision'];
    const command = crew
      .command(decision)
      .description(does)
      .argument(...RUN_ARGUMENT)
      .option('--gate <id>', 'what of it, where the run asks several things')
      .option('--revision <n>', 'what you saw of it, where somebody has changed it', parseCount)
      .option(...AS_OPTION);
    if (words === undefined) command.option('--comment <text>', 'why');
    else command.requiredOption('--comment <text>', words);
    withCommon(command, `crew ${decision} RUN${example === undefined ? '' : ` --comment "${example}"`}`).action(
      (id: string, options: DecideOptions & Common) =>
        run(options, (client) => decideRun(client, id, decision, options)),
    );
  }
}

function addCancel(crew: Command): void {
  withCommon(
    crew
      .command('cancel')
      .description('end a run, with every step of it')
      .argument(...RUN_ARGUMENT)
      .option(...AS_OPTION),
    'crew cancel RUN',
  ).action((id: string, options: { as?: string } & Common) => run(options, (client) => cancelRun(client, id, options)));
}
