import type { Env } from '../../config/env.js';
import { DiscordError } from '../adapters/discord/discord-errors.js';
import { DiscordRest, type RegisteredCommand } from '../adapters/discord/discord-rest.js';
import { registration } from '../bots/discord/registration.js';
import { commandMenus } from '../domain/dialog/menus.js';
import { CliError } from './failure.js';

/** What the environment says of the application. */
type Application = Pick<Env, 'DISCORD_APPLICATION_ID' | 'DISCORD_BOT_TOKEN' | 'DISCORD_API_ROOT'>;

/**
 * `dagi discord register`: replaces the commands, and tells which there are and what has changed.
 * @throws CliError
 */
export async function registerCommands(application: Application, guild: string | undefined): Promise<string> {
  return asApplication(application, guild, async ({ id, rest }) => {
    const before = await rest.listCommands(id, guild);
    const everywhere = guild === undefined ? [] : await rest.listCommands(id, undefined);
    const commands = registration(commandMenus('dc'));
    const after = await rest.putCommands(id, guild, commands);
    const words = new Map(commands.map(({ name, description }) => [name, description]));
    return told(before, after, { guild, words }) + shownTwice(guild, everywhere);
  });
}

/**
 * `dagi discord register --clear`: takes away what is registered in one server alone, and tells what that was.
 * @throws CliError
 */
export async function clearCommands(application: Application, guild: string | undefined): Promise<string> {
  if (guild === undefined) {
    throw new CliError(
      'ARGUMENT_INVALID',
      '--clear is for what is registered in one server alone: name it with --guild.',
    );
  }
  return asApplication(application, guild, async ({ id, rest }) => {
    const before = await rest.listCommands(id, guild);
    if (before.length === 0) return `Nothing is registered in server ${guild} alone.\n`;
    return `0 commands in server ${guild} alone:\n${changesBetween(before, await rest.putCommands(id, guild, []))}\n`;
  });
}

interface Client {
  id: string;
  rest: DiscordRest;
}

async function asApplication(
  application: Application,
  guild: string | undefined,
  work: (client: Client) => Promise<string>,
): Promise<string> {
  const client = clientOf(application);
  if (guild !== undefined && !/^\d{1,20}$/.test(guild)) {
    throw new CliError('BODY_INVALID', 'The id of a server of Discord is a number: copy it with its developer mode.');
  }
  try {
    return await work(client);
  } catch (error) {
    throw error instanceof DiscordError ? failureOf(error, guild) : error;
  }
}

/** That a server has its own commands beside those of everywhere, where that is or may be so. */
function shownTwice(guild: string | undefined, everywhere: readonly RegisteredCommand[]): string {
  if (guild === undefined) {
    return 'A server with commands of its own shows them beside these: "npx dagi discord register --guild ID --clear" takes them away.\n';
  }
  if (everywhere.length === 0) return '';
  return `${everywhere.length} commands are registered everywhere, too, so this server shows both: "npx dagi discord register --guild ${guild} --clear" takes these away.\n`;
}

function clientOf({
  DISCORD_APPLICATION_ID: id,
  DISCORD_BOT_TOKEN: botToken,
  DISCORD_API_ROOT: apiRoot,
}: Application): Client {
  const missing = [
    ...(id === undefined ? ['DISCORD_APPLICATION_ID'] : []),
    ...(botToken === undefined ? ['DISCORD_BOT_TOKEN'] : []),
  ];
  if (id !== undefined && botToken !== undefined) return { id, rest: new DiscordRest({ botToken, apiRoot }) };
  const names = missing.join(' and ');
  const page = 'discord.com/developers/applications';
  throw new CliError('CONFIG_INVALID', `Environment: ${names} must be set; see the application's page at ${page}.`);
}

/** Codes of Discord that one cause has. */
const REASONS: Readonly<Record<number, (guild: string | undefined) => string>> = {
  0: () => 'Discord does not know DISCORD_BOT_TOKEN: copy it anew from the page of the bot.',
  10_002: () => 'Discord knows no application with DISCORD_APPLICATION_ID.',
  20_012: () => 'DISCORD_BOT_TOKEN is of another application than DISCORD_APPLICATION_ID names.',
  50_001: (guild) => `The bot is not in server ${guild ?? ''}, or was added without the scope applications.commands.`,
};

/** What is the cause of a refusal, and what to do about it. Undefined: nobody knows. */
export const reasonFor = ({ code }: DiscordError, guild: string | undefined): string | undefined =>
  code === undefined ? undefined : REASONS[code]?.(guild);

function failureOf(error: DiscordError, guild: string | undefined): CliError {
  const { problem, message } = error;
  const reason = reasonFor(error, guild);
  if (problem === 'unreachable' || problem === 'limited') return new CliError('DISCORD_UNAVAILABLE', `${message}.`);
  return new CliError('DISCORD_REFUSED', reason === undefined ? `${message}.` : `${reason} (${message})`);
}

function told(
  before: readonly RegisteredCommand[],
  after: readonly RegisteredCommand[],
  { guild, words }: { guild: string | undefined; words: ReadonlyMap<string, string> },
): string {
  const width = Math.max(...after.map(({ name }) => name.length)) + 1;
  const lines = after.map(({ name }) => `  /${name.padEnd(width)} ${words.get(name) ?? ''}`.trimEnd());
  const where = guild === undefined ? 'everywhere' : `in server ${guild}`;
  return [`${after.length} commands ${where}:`, ...lines, changesBetween(before, after), ''].join('\n');
}

/** What is new, has changed or is gone, in a line. */
function changesBetween(before: readonly RegisteredCommand[], after: readonly RegisteredCommand[]): string {
  const known = new Map(before.map(({ name, version }) => [name, version]));
  const there = new Set(after.map(({ name }) => name));
  const groups: [string, string[]][] = [
    ['new', after.filter(({ name }) => !known.has(name)).map(({ name }) => name)],
    ['changed', after.filter(({ name, version }) => (known.get(name) ?? version) !== version).map(({ name }) => name)],
    ['removed', before.filter(({ name }) => !there.has(name)).map(({ name }) => name)],
  ];
  const changes = groups.filter(([, names]) => names.length > 0);
  if (changes.length === 0) return 'Nothing has changed.';
  return changes.map(([what, names]) => `${what}: ${names.map((name) => `/${name}`).join(', ')}`).join('; ');
}
