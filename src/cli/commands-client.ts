import { InvalidArgumentError, type Command } from 'commander';
import { chatOnce, chatRepl, type ChatOptions } from './chat.js';
import { DagiClient } from './client.js';
import { addKeyCommands } from './commands-keys.js';
import { findInstance, findUrl } from './instance.js';
import { resolveEnv } from './options.js';
import { clientOf } from './people-options.js';
import { plain } from './plain-text.js';
import { smoke } from './smoke.js';

interface HomeOption {
  home?: string;
}

const HOME_OPTION = ['--home <dir>', 'state folder of the instance (DAGI_HOME)'] as const;

/** Commands that talk to a running instance, and `doctor`, which also works without one. */
export function addClientCommands(program: Command): void {
  addChat(program);
  addRoute(program);
  addKeyCommands(program);
  addDoctor(program);
  addSmoke(program);
}

function addChat(program: Command): void {
  program
    .command('chat')
    .description('ask a question, or hold a conversation; the answer streams')
    .argument('[question]', 'one question; without it a conversation begins')
    .option('--dao <id>', 'DAO to ask in')
    .option('--as <user>', 'user to act as, for example tg:12345')
    .option(...HOME_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx dagi chat "What is this DAO about?"\n  $ npx dagi chat --dao greenfood-dao --as tg:12345',
    )
    .action(async (question: string | undefined, options: ChatOptions & HomeOption) => {
      const client = await clientOf(options);
      await (question === undefined ? chatRepl(client, options) : chatOnce(client, question, options));
    });
}

function addRoute(program: Command): void {
  program
    .command('route')
    .description('post a body to /route and print the answer as JSON')
    .argument('<json>', 'the body', parseJson)
    .option(...HOME_OPTION)
    .addHelpText(
      'after',
      `\nExample:\n  $ npx dagi route '{"prompt":"Hello","mode":"chat","metadata":{"user_id":"tg:12345"}}'`,
    )
    .action(async (body: unknown, options: HomeOption) => {
      const client = await clientOf(options);
      const answer = await client.call('POST', '/route', { body });
      process.stdout.write(`${plain(JSON.stringify(answer.body, undefined, 2))}\n`);
      process.exitCode = answer.status < 400 ? 0 : 1;
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON (${error instanceof Error ? error.message : String(error)}).`);
  }
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check everything that a start needs; each line OK or the remedy')
    .option(...HOME_OPTION)
    .addHelpText('after', '\nExit code 1 if any check fails. Works with and without a running instance.')
    .action(async ({ home }: HomeOption) => {
      const { doctor } = await import('./doctor.js');
      const well = await doctor(home, (text) => process.stdout.write(text));
      process.exitCode = well ? 0 : 1;
    });
}

function addSmoke(program: Command): void {
  program
    .command('smoke')
    .description('a handful of checks against a running instance')
    .argument('[url]', 'its address (default: the instance that runs here); the key comes from DAGI_API_KEY')
    .option(...HOME_OPTION)
    .addHelpText('after', '\nExamples:\n  $ npx dagi smoke\n  $ DAGI_API_KEY=… npx dagi smoke https://dagi.example.org')
    .action(async (url: string | undefined, options: HomeOption) => {
      const env = resolveEnv(options);
      // The key of the home's own instance goes to that instance only.
      const isOwn = url === undefined || url === (await findUrl(env).catch(() => undefined));
      const client = new DagiClient(await findInstance(isOwn ? env : { ...env, DAGI_URL: url }));
      const passed = await smoke(client, (text) => process.stdout.write(text));
      process.exitCode = passed ? 0 : 1;
    });
}
