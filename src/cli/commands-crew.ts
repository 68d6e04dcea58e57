import { InvalidArgumentError, type Command } from 'commander';
import { addCrewRunCommands } from './commands-crew-runs.js';
import { checkCrew } from './crew-check.js';
import { newCrew } from './crew-new.js';
import { deleteCrew, putCrew } from './crew-put.js';
import { run, withActing, type Common } from './people-options.js';
import type { Acting } from './proposal.js';

const CHECK_HELP = `
Exit code 1 if one of them cannot be used. Nothing has to run.

Examples:
  $ npx dagi crew check my_crew.yml
  $ npx dagi crew check config/crews/*.yml
  $ npx dagi crew check my_crew.yml --json | jq .definition

How crews are written: docs/crews.md.`;

const NEW_HELP = `
It passes the check as it stands. A file that is there already stays as it is.

Example:
  $ npx dagi crew new my_crew && npx dagi crew check my_crew.yml`;

/** Adds `dagi crew`: check, new, put, delete, and what is done with runs. */
export function addCrewCommands(program: Command): void {
  const crew = program
    .command('crew')
    .description('teams of agents: check and begin their files, run them, decide what they ask');
  addCheck(crew);
  addNew(crew);
  addPut(crew);
  addDelete(crew);
  addCrewRunCommands(crew);
}

function addPut(crew: Command): void {
  withActing(
    crew
      .command('put')
      .description('give a DAO the crew of a file, or another version of it; runs that are under way keep theirs')
      .argument('<file>', 'the file of the crew, YAML or JSON'),
    'crew put my_crew.yml --dao orchard',
  ).action((file: string, options: Acting & Common) => run(options, (client) => putCrew(client, file, options)));
}

function addDelete(crew: Command): void {
  withActing(
    crew.command('delete').description("take a DAO's own crew away").argument('<id>', 'the crew'),
    'crew delete my_crew',
  ).action((id: string, options: Acting & Common) => run(options, (client) => deleteCrew(client, id, options)));
}

function addCheck(crew: Command): void {
  crew
    .command('check')
    .description('what crews say: agents, tasks and what needs what, tools, gates; or all that is wrong')
    .argument('<file...>', 'files of crews, YAML or JSON')
    .option('--json', 'print a line of JSON for each file', false)
    .addHelpText('after', CHECK_HELP)
    .action((files: string[], { json }: { json: boolean }) => {
      const checked = files.map((file) => checkCrew(file, json));
      checked.forEach(({ ok, text }, index) => {
        const apart = index > 0 && !json ? '\n' : '';
        (ok || json ? process.stdout : process.stderr).write(apart + text);
      });
      process.exitCode = checked.every(({ ok }) => ok) ? 0 : 1;
    });
}

function addNew(crew: Command): void {
  crew
    .command('new')
    .description('write the file of a small crew to begin with')
    .argument('<id>', 'its id: small letters, digits and _', parseId)
    .option('--file <path>', 'where (default: ID.yml in this folder)')
    .addHelpText('after', NEW_HELP)
    .action(async (id: string, { file }: { file?: string }) => {
      process.stdout.write(`${await newCrew(id, file)}\n`);
    });
}

function parseId(text: string): string {
  if (/^[a-z][a-z0-9_]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError('Small letters, digits and "_", a letter first, at most 63 of them.');
}
