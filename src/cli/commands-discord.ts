import type { Command } from 'commander';
import { resolveEnv } from './options.js';

const EXAMPLES = `
Examples:
  $ npx dagi discord register                    in all servers that the bot is in
  $ npx dagi discord register --guild 123456     in one server alone
  $ npx dagi discord register --guild 123456 --clear

What is registered in one server stands there beside what is registered everywhere: take it away with --clear, or each
command is shown twice there.

DISCORD_APPLICATION_ID and DISCORD_BOT_TOKEN name the application. All of its commands are replaced.`;

/** Adds `dagi discord`. */
export function addDiscordCommands(program: Command): void {
  program
    .command('discord')
    .description('what Discord shows of the bot')
    .command('register')
    .description('put the commands into the menu of Discord, in place of those that are there')
    .option('--guild <id>', 'of this server alone (default: everywhere)')
    .option('--clear', 'take away what is registered in this server alone')
    .addHelpText('after', EXAMPLES)
    .action(async ({ guild, clear = false }: { guild?: string; clear?: boolean }) => {
      // Its client takes a while to load: nobody else is to wait for that.
      const { clearCommands, registerCommands } = await import('./discord.js');
      const work = clear ? clearCommands : registerCommands;
      process.stdout.write(await work(resolveEnv(), guild));
    });
}
