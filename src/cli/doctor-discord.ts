import type { Env } from '../../config/env.js';
import { DiscordError } from '../adapters/discord/discord-errors.js';
import { DiscordRest, type RegisteredApplication, type RegisteredCommand } from '../adapters/discord/discord-rest.js';
import { DISCORD_COMMANDS } from '../bots/discord/commands.js';
import { DISCORD_INTERACTIONS } from '../bots/discord/discord.controller.js';
import { reasonFor } from './discord.js';
import { bad, fine, type Finding } from './doctor-finding.js';

const PROBE_MS = 5_000;
const PAGE = 'discord.com/developers/applications';

type ApplicationEnv = Pick<
  Env,
  'DISCORD_PUBLIC_KEY' | 'DISCORD_APPLICATION_ID' | 'DISCORD_BOT_TOKEN' | 'DISCORD_API_ROOT' | 'PUBLIC_URL'
>;

/** Whether Discord knows the application as the environment names it, sends interactions here, and shows the commands. */
export async function checkDiscord(env: ApplicationEnv): Promise<Finding> {
  const { DISCORD_PUBLIC_KEY: publicKey, DISCORD_BOT_TOKEN: botToken, DISCORD_APPLICATION_ID: id } = env;
  if (publicKey === undefined) {
    return botToken === undefined && id === undefined
      ? fine('off: DISCORD_PUBLIC_KEY is not set')
      : bad(`DISCORD_PUBLIC_KEY is not set, so nothing is taken from Discord: copy it from ${PAGE}.`);
  }
  if (botToken === undefined) {
    return fine(
      'interactions only\n     warning: DISCORD_BOT_TOKEN is not set: no late answers, no news, and nothing to check',
    );
  }
  const rest = new DiscordRest({ botToken, apiRoot: env.DISCORD_API_ROOT, timeoutMs: PROBE_MS });
  try {
    const application = await rest.application();
    return finding(env, application, await rest.listCommands(application.id, undefined));
  } catch (error) {
    if (!(error instanceof DiscordError)) throw error;
    return bad(reasonFor(error, undefined) ?? `${error.message}: see that this machine reaches Discord.`);
  }
}

function finding(env: ApplicationEnv, application: RegisteredApplication, commands: RegisteredCommand[]): Finding {
  const problem = identityProblem(env, application) ?? endpointProblem(env, application) ?? commandsProblem(commands);
  if (problem !== undefined) return bad(problem);
  const said = `application ${application.id}, interactions to ${application.interactionsUrl ?? ''}, ${commands.length} commands`;
  const unsaid = [
    ...(env.DISCORD_APPLICATION_ID === undefined ? ['DISCORD_APPLICATION_ID is not set'] : []),
    ...(env.PUBLIC_URL === undefined ? ['PUBLIC_URL is not set: whether they come here is not known'] : []),
  ];
  return fine(said + unsaid.map((text) => `\n     warning: ${text}`).join(''));
}

/** Whether id, key and token are of one application. */
function identityProblem(
  { DISCORD_APPLICATION_ID: id, DISCORD_PUBLIC_KEY: key }: ApplicationEnv,
  application: RegisteredApplication,
): string | undefined {
  if (id !== undefined && id !== application.id) {
    return `DISCORD_BOT_TOKEN is of application ${application.id}, DISCORD_APPLICATION_ID names ${id}: copy both from one page at ${PAGE}.`;
  }
  if (key?.toLowerCase() === application.publicKey.toLowerCase()) return undefined;
  return `DISCORD_PUBLIC_KEY is not that of application ${application.id}, so every interaction is refused: copy it from ${PAGE}.`;
}

function endpointProblem(
  { PUBLIC_URL: publicUrl }: ApplicationEnv,
  application: RegisteredApplication,
): string | undefined {
  const { interactionsUrl: url } = application;
  const expected =
    publicUrl === undefined ? undefined : new URL(DISCORD_INTERACTIONS, `${publicUrl.replace(/\/+$/, '')}/`).href;
  const remedy = `set it to ${expected ?? 'PUBLIC_URL/discord/interactions'} at ${PAGE}, while the API runs`;
  if (url === undefined) return `the application has no Interactions Endpoint URL: ${remedy}.`;
  if (expected === undefined || url === expected) return undefined;
  return `the Interactions Endpoint URL is ${url}: ${remedy}, or correct PUBLIC_URL.`;
}

function commandsProblem(commands: readonly RegisteredCommand[]): string | undefined {
  const there = new Set(commands.map(({ name }) => name));
  const missing = DISCORD_COMMANDS.filter(({ name }) => !there.has(name)).map(({ name }) => `/${name}`);
  if (missing.length === 0) return undefined;
  return `the menu lacks ${missing.join(', ')}: run "npx dagi discord register".`;
}
