import { Command } from 'commander';
import { packageVersion } from '../../config/paths.js';
import { addAuditCommands } from './commands-audit.js';
import { addClientCommands } from './commands-client.js';
import { addConfigCommands } from './commands-config.js';
import { addCrewCommands } from './commands-crew.js';
import { addDialogsCommands } from './commands-dialogs.js';
import { addDiscordCommands } from './commands-discord.js';
import { addMcpCommands } from './commands-mcp.js';
import { addPeopleCommands } from './commands-people.js';
import { addProposalCommands } from './commands-proposal.js';
import { addServerCommands } from './commands-server.js';
import { addWhatIfCommand } from './commands-whatif.js';
import { addProvidersCommand } from './providers.js';
import { addUsageCommand } from './usage.js';

const EXAMPLES = `
Examples:
  $ npm run up                                   everything, on this machine
  $ npx dagi chat "What is this DAO about?"      one question
  $ npx dagi chat --as tg:12345                  a conversation, as a member
  $ npx dagi route '{"prompt":"Hello"}'          the whole answer as JSON
  $ npx dagi doctor                              what is wrong, and the remedy

Commands find the running instance through DAGI_HOME (./var), or through DAGI_URL and DAGI_API_KEY.`;

/** The command `dagi` with all that it can do. */
export function buildProgram(): Command {
  const program = new Command('dagi')
    .description('DAGI Stack: durable, role-checked, recorded answers for small DAOs')
    .version(packageVersion())
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(add --help for what is possible)')
    // What follows a command is the command's, also where an outer one has an option of the same name.
    .enablePositionalOptions()
    .exitOverride();
  addServerCommands(program);
  addClientCommands(program);
  addPeopleCommands(program);
  addProposalCommands(program);
  addProvidersCommand(program);
  addUsageCommand(program);
  addAuditCommands(program);
  addDialogsCommands(program);
  addConfigCommands(program);
  addCrewCommands(program);
  addWhatIfCommand(program);
  addDiscordCommands(program);
  addMcpCommands(program);
  return program;
}
