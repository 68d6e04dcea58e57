import { InvalidArgumentError, type Command } from 'commander';
import { DagiClient } from './client.js';
import { addConfigLifeCommands } from './commands-whatif.js';
import { checkConfig } from './config-check.js';
import { explainLocally, explainThere, readQuestion } from './config-explain.js';
import { explanationText } from './config-explain-text.js';
import { findInstance } from './instance.js';
import { resolveEnv } from './options.js';
import { plain } from './plain-text.js';

interface ExplainOptions {
  profile?: string;
  json: boolean;
  home?: string;
}

const CHECK_HELP = `
Nothing has to run. Variables count as they are set here; a provider whose key is set elsewhere alone is a warning.

Examples:
  $ npx dagi config check prod
  $ npx dagi config check ./my-profile.yml
  $ npx dagi config check ./my-profile.yml --json | jq -r '.warnings[]'`;

const EXPLAIN_HELP = `
JSON is a body of POST /route; nothing is sent to a model. The running instance decides, with the roles that user_id has
there. With --profile it is decided here, with the roles that "roles" names (default: member), as config/rbac.yml defines
them; nothing has to run.

Examples:
  $ npx dagi config explain '{"prompt":"When is the next vote?","metadata":{"user_id":"tg:12345"}}'
  $ npx dagi config explain '{"mode":"chat","source":"telegram","roles":["guest"]}' --profile prod
  $ npx dagi config explain '{"metadata":{"task_type":"legal"}}' --profile ./my-profile.yml --json`;

/** Adds `dagi config`: check, explain, and the life of the running profile. */
export function addConfigCommands(program: Command): void {
  const config = program.command('config').description('check a profile, explain what it decides, see what runs');
  addCheck(config);
  addExplain(config);
  addConfigLifeCommands(config);
}

function addCheck(config: Command): void {
  config
    .command('check')
    .description('whether a profile can be used: its rules in order, its warnings, or all that is wrong')
    .argument('<file>', 'a file, or a name of config/profiles')
    .option('--json', 'print everything as JSON', false)
    .addHelpText('after', `\nExit code 1 if it cannot be used.${CHECK_HELP}`)
    .action((file: string, { json }: { json: boolean }) => {
      const { ok, text } = checkConfig(resolveEnv(), file, json);
      (ok || json ? process.stdout : process.stderr).write(text);
      process.exitCode = ok ? 0 : 1;
    });
}

function addExplain(config: Command): void {
  config
    .command('explain')
    .description('which rule a request would take, and why each other would not')
    .argument('<json>', 'a body of POST /route', parseJson)
    .option('--profile <file>', 'decide here, by this profile')
    .option('--json', 'print the explanation as JSON', false)
    .option('--home <dir>', 'state folder of the instance (DAGI_HOME)')
    .addHelpText('after', EXPLAIN_HELP)
    .action(async (json: unknown, { profile, home, ...options }: ExplainOptions) => {
      const env = resolveEnv(home === undefined ? {} : { home });
      const question = readQuestion(json);
      for (const key of question.ignored) {
        process.stderr.write(plain(`warning: ${key} means nothing in a body of POST /route, and is ignored\n`));
      }
      const told =
        profile === undefined
          ? await explainThere(new DagiClient(await findInstance(env)), question)
          : explainLocally(env, profile, question);
      process.stdout.write(options.json ? `${plain(JSON.stringify(told, undefined, 2))}\n` : explanationText(told));
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON (${error instanceof Error ? error.message : String(error)}).`);
  }
}
