import { Argument, Option, type Command } from 'commander';
import { CHOICES, STAGES } from '../contracts/proposal.js';
import { REVIEWING_CREW } from '../domain/proposal-review.js';
import type { DagiClient } from './client.js';
import { watchRun } from './crew-follow.js';
import { startRun } from './crew-run.js';
import { failureOf, seenRun, whereSeen } from './crew-seen.js';
import { clientOf, LIMIT_OPTION, run, shown, withActing, type Common } from './people-options.js';
import {
  createProposal,
  listProposals,
  moveProposal,
  putReview,
  showProposal,
  showTally,
  vetoProposal,
  vote,
  type Acting,
  type CreateProposalOptions,
  type ListProposalsOptions,
} from './proposal.js';

const NUMBER = ['<n>', 'its number'] as const;

const EXAMPLES = `
Examples:
  $ npx dagi proposal create --title "A motto" --text "Let us have one." --open
  $ npx dagi proposal vote 1 yes
  $ npx dagi proposal tally 1`;

const ACTION_HELP = `
Each action is JSON; they are done once it has passed, all of them or none:
  {"type":"grant_role","user_id":"tg:5","role":"steward"}      revoke_role likewise
  {"type":"set_fact","name":"motto","value":"Eat."}            null takes it away
  {"type":"set_setting","name":"quorum","value":0.25}          null: the default
  {"type":"invite","user_id":"tg:9","roles":["member"]}`;

/** Adds `dagi proposal`. */
export function addProposalCommands(program: Command): void {
  const proposal = program
    .command('proposal')
    .description('proposals of a DAO: draft, open, vote, count, veto')
    .addHelpText('after', EXAMPLES);
  addList(proposal);
  addShow(proposal);
  addCreate(proposal);
  addReview(proposal);
  addMoves(proposal);
  addVote(proposal);
  addTally(proposal);
  addVeto(proposal);
}

function addList(proposal: Command): void {
  withActing(
    proposal
      .command('list')
      .description('proposals, the newest ones first')
      .addOption(new Option('--stage <stage>', 'those of this stage').choices([...STAGES]))
      .option(...LIMIT_OPTION),
    'proposal list --dao orchard --stage open',
  ).action((options: ListProposalsOptions & Common) => run(options, (client) => listProposals(client, options)));
}

function addShow(proposal: Command): void {
  withActing(
    proposal
      .command('show')
      .description('what one says, by which rules, and what it came to')
      .argument(...NUMBER),
    'proposal show 1 --dao orchard',
    'proposal show 1 --json | jq .rules',
  ).action((n: string, options: Acting & Common) => run(options, (client) => showProposal(client, n, options)));
}

function addCreate(proposal: Command): void {
  withActing(
    proposal
      .command('create')
      .description('draft one, as a member')
      .addHelpText('after', ACTION_HELP)
      .requiredOption('--title <title>', 'what it is called')
      .option('--text <text>', 'what it says')
      .option('--file <path>', 'the file that holds what it says')
      .option('--action <json...>', 'what it does once it has passed')
      .option('--review <run>', 'a run of the crew proposal_review that read this text')
      .option('--open', 'open it at once'),
    'proposal create --title "A motto" --file motto.md',
    `proposal create --title "A motto" --text "Eat." --open --action '{"type":"set_fact","name":"motto","value":"Eat."}'`,
  ).action((options: CreateProposalOptions & Common) => run(options, (client) => createProposal(client, options)));
}

function addReview(proposal: Command): void {
  withActing(
    proposal
      .command('review')
      .description('let the crew proposal_review read a draft of your own, and show with it what the crew says')
      .argument(...NUMBER)
      .option('--run <run>', 'a run that has read it already'),
    'proposal review 1',
  ).action(reviewDraft);
}

async function reviewDraft(n: string, options: Acting & { run?: string } & Common): Promise<void> {
  const client = await clientOf(options);
  const id = options.run ?? (await reviewedBy(client, n, options));
  if (id === undefined) return;
  process.stdout.write(shown(await putReview(client, n, id, options), options));
}

/** Runs the crew. @returns the run; undefined: the user left it. @throws CliError why it came to nothing */
async function reviewedBy(client: DagiClient, n: string, options: Acting): Promise<string | undefined> {
  const { id } = await startRun(client, REVIEWING_CREW, [], { ...options, input: [`n=${n}`] });
  const answer = await watchRun(client, id, options);
  if (answer === undefined) return undefined;
  const failure = failureOf(seenRun(answer));
  if (failure) throw whereSeen(failure, id);
  return id;
}

function addMoves(proposal: Command): void {
  const descriptions = {
    open: 'open a draft of your own: rules and voters are fixed from then on',
    withdraw: 'take back one of your own, before the first ballot',
  };
  for (const how of ['open', 'withdraw'] as const) {
    withActing(
      proposal
        .command(how)
        .description(descriptions[how])
        .argument(...NUMBER),
      `proposal ${how} 1`,
    ).action((n: string, options: Acting & Common) => run(options, (client) => moveProposal(client, n, how, options)));
  }
}

function addVote(proposal: Command): void {
  withActing(
    proposal
      .command('vote')
      .description('vote, or vote otherwise until the close')
      .argument(...NUMBER)
      .addArgument(new Argument('<choice>', 'what you say').choices([...CHOICES]))
      .option('--ballot <id>', 'what you call the ballot: said again, it counts once'),
    'proposal vote 1 yes',
    'proposal vote 1 no --as tg:5 --ballot tg-4711',
  ).action((n: string, choice: string, options: Acting & { ballot?: string } & Common) =>
    run(options, (client) => vote(client, n, choice, options)),
  );
}

function addTally(proposal: Command): void {
  withActing(
    proposal
      .command('tally')
      .description('the result, or how it stands, as bars')
      .argument(...NUMBER),
    'proposal tally 1',
    'proposal tally 1 --json | jq .tally.yes',
  ).action((n: string, options: Acting & Common) => run(options, (client) => showTally(client, n, options)));
}

function addVeto(proposal: Command): void {
  withActing(
    proposal
      .command('veto')
      .description('stop what has passed, before it is executed')
      .argument(...NUMBER)
      .requiredOption('--reason <text>', 'why; everybody in the DAO sees it'),
    'proposal veto 1 --reason "The orchard has no money for that."',
  ).action((n: string, options: Acting & { reason: string } & Common) =>
    run(options, (client) => vetoProposal(client, n, options)),
  );
}
