import { InvalidArgumentError, Option, type Command } from 'commander';
import { DagiClient } from './client.js';
import { applyConfig, configStatus, reloadConfig } from './config-life.js';
import { parseDuration } from './duration.js';
import { findInstance } from './instance.js';
import { resolveEnv } from './options.js';
import { whatIf, type WhatIfOptions } from './whatif.js';

interface HomeOption {
  home?: string;
}

const HOME_OPTION = ['--home <dir>', 'state folder of the instance (DAGI_HOME)'] as const;
/** Columns where nobody says how wide the terminal is. */
const USUAL_WIDTH = 80;
const WEEK = '7d';

const WHATIF_HELP = `
The profile is compiled here, with the variables that are set here; the instance decides its recorded requests by it.
Nothing is changed. With --run the prompts of those requests go to the providers that the profile names: requests of
their own, on the account of your key.

Examples:
  $ npx dagi whatif --profile ./new.yml
  $ npx dagi whatif --profile ./new.yml --since 12h --limit 500
  $ npx dagi whatif --profile ./new.yml --run 3 --yes
  $ npx dagi whatif --profile ./new.yml --json | jq .newly_allowed`;

const connect = async (options: HomeOption): Promise<DagiClient> =>
  new DagiClient(await findInstance(resolveEnv(options)));

const print = async (text: Promise<string>): Promise<void> => void process.stdout.write(await text);

/** Adds `dagi whatif`. */
export function addWhatIfCommand(program: Command): void {
  program
    .command('whatif')
    .description('what another profile would change, over recorded requests')
    .requiredOption('--profile <file>', 'the other profile: a file, or a name')
    .addOption(
      new Option('--since <time>', 'how far back: 30m, 12h, 7d')
        .argParser(parseDuration)
        .default(parseDuration(WEEK), WEEK),
    )
    .option('--limit <n>', 'most requests, newest first', between(1, 100_000), 10_000)
    .option('--run <n>', 'ask N of the requests that would change again, and show both answers', between(0, 50), 0)
    .option('--yes', 'with --run: a provider may get prompts of a DAO that it has not answered so far', false)
    .option('--json', 'print everything as JSON', false)
    .option(...HOME_OPTION)
    .addHelpText('after', WHATIF_HELP)
    .action(async ({ home, ...options }: WhatIfOptions & HomeOption) => {
      const env = resolveEnv(home === undefined ? {} : { home });
      const client = new DagiClient(await findInstance(env));
      await whatIf(client, env, options, {
        out: (text) => process.stdout.write(text),
        err: process.stderr,
        width: process.stdout.columns ?? USUAL_WIDTH,
      });
    });
}

/** Adds `status`, `apply` and `reload` to `dagi config`. */
export function addConfigLifeCommands(config: Command): void {
  config
    .command('status')
    .description('which profile runs, and what of it was refused or waits to be confirmed')
    .option(...HOME_OPTION)
    .action(async (options: HomeOption) => print(connect(options).then(configStatus)));
  config
    .command('apply')
    .description('show what waits to be confirmed; make it active if its hash is given')
    .option('--confirm <hash>', 'hash of what waits')
    .option(...HOME_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx dagi config apply\n  $ npx dagi config apply --confirm 0f3c6f2a51b7d9e4',
    )
    .action(async ({ confirm, ...options }: { confirm?: string } & HomeOption) =>
      print(connect(options).then((client) => applyConfig(client, confirm))),
    );
  config
    .command('reload')
    .description('read the profile again, as SIGHUP does')
    .option(...HOME_OPTION)
    .addHelpText(
      'after',
      '\nExit code 1 if what was read is refused, or waits to be confirmed: what ran before runs on.',
    )
    .action(async (options: HomeOption) =>
      reloadConfig(await connect(options), (text) => {
        process.stdout.write(text);
      }),
    );
}

/** Parses a whole number for commander. */
const between =
  (least: number, most: number) =>
  (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It is a number from ${least} to ${most}.`);
  };
