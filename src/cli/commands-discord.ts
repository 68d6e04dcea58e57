import type { Command } from 'commander';
import { resolveEnv } from './options.js';

const EXAMPLES = `
Examples:
  $ npx dagi discord register                    in all servers that the bot is in
  $ npx dagi discord register --guild 123456     in one server alone

DISCORD_APPLICATION_ID and DISCORD_BOT_TOKEN name the application. All of its commands are replaced.`;

/** Adds `dagi discord`. */
export function addDiscordCommands(program: Command): void {
  program
    .command('discord')
    .description('what Discord shows of the bot')
    .command('register')
    .description('put the commands into the menu of Discord, in place of those that are there')
    .option('--guild <id>', 'of this server alone (default: everywhere)')
    .addHelpText('after', EXAMPLES)
    .action(async ({ guild }: { guild?: string }) => {
      // Its client takes a while to load: nobody else is to wait for that.
      const { registerCommands } = await import('./discord.js');
      process.stdout.write(await registerCommands(resolveEnv(), guild));
    });
}
