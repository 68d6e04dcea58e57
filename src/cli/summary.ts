import { join } from 'node:path';
import type { Env } from '../../config/env.js';
import type { AdminKey } from '../admin-key.js';
import type { BotLine } from './bot-lines.js';
import type { ConfigState } from '../contracts/config-state.js';
import { plain } from './plain-text.js';
import { frame } from './steps.js';

/** Columns of a warning in the frame. */
const WIDEST = 100;

export interface SummaryInput {
  env: Env;
  url: string;
  mcpUrl: string;
  temporalUi: string | null;
  admin: AdminKey;
  seconds: number;
  config: ConfigState;
  bots: readonly BotLine[];
  sample: Sample;
}

/** In which DAO, and as whom, a question can be asked at once. Undefined: there is no DAO yet, or it is the administrator. */
export interface Sample {
  dao: string | undefined;
  user: string | undefined;
}

/** What a person wants to know once it runs. */
export function summarise(input: SummaryInput): string {
  const { env, url, mcpUrl, temporalUi, admin, seconds, config, bots, sample } = input;
  const lines = [
    `DAGI Stack runs (started in ${seconds.toFixed(1)} s)`,
    '',
    `API           ${url}`,
    `API docs      ${url}/docs`,
    `MCP           ${mcpUrl}`,
    ...(temporalUi === null ? [] : [`Temporal UI   ${temporalUi}`]),
    ...keyLines(admin),
    `Logs          ${join(env.home, 'logs')}`,
    ...bots.flatMap(botLine),
    ...noteLines(config),
  ];
  return `\n${frame(lines)}\n${firstSteps(url, admin, sample)}\n\n`;
}

function keyLines({ key, created, file }: AdminKey): string[] {
  if (file === undefined) return ['Admin key     as DAGI_ADMIN_KEY gives it'];
  if (!created) return [`Admin key     kept in ${file}`];
  return [`Admin key     ${key}`, `              (shown this once; kept in ${file})`];
}

/** A bot among the things that run, marked where it does not. */
function botLine({ platform, isUp, text }: BotLine): string[] {
  const [first = '', ...more] = text.split('\n').flatMap((line) => wrapped(line.trim()));
  const name = `${isUp ? '' : '! '}${platform}`.padEnd(14);
  return [`${name}${first}`, ...more.map((line) => `${' '.repeat(14)}${line.trim()}`)].map(plain);
}

/** What can be done at once, by lines that can be pasted. */
function firstSteps(url: string, admin: AdminKey, sample: Sample): string {
  if (sample.dao === undefined) {
    const access = `DAGI_URL=${url} DAGI_API_KEY="${shellKey(admin)}"`;
    return `There is no DAO yet. Create one, with yourself as its admin:\n${access} npx dagi dao create my-dao --name "My DAO" --admin tg:YOUR_ID`;
  }
  return `Ask it yourself:\n${curlLine(url, admin, sample)}`;
}

/** That an older profile runs than the file says, and what to do about it; nothing where the file runs. */
export function pendingLines({ active, waiting }: ConfigState): string[] {
  if (!waiting) return [];
  return [
    `NOT the profile of ${active.file}: it has changed, and waits to be confirmed.`,
    `What was active before runs on (${active.hash}). What would change:`,
    '  npx dagi config status',
    'Make the file active, or put the former one back:',
    `  npx dagi config apply --confirm ${waiting.hash}`,
  ];
}

/** What an operator should know of the profile, below the rest. */
function noteLines(config: ConfigState): string[] {
  const pending = pendingLines(config);
  // What waits is told above in lines of its own.
  const warnings = config.warnings
    .filter((warning) => !warning.startsWith(`profile ${config.waiting?.hash ?? ''} waits`))
    .flatMap((warning) => wrapped(`warning: ${warning}`));
  return [...(pending.length > 0 ? ['', ...pending] : []), ...(warnings.length > 0 ? ['', ...warnings] : [])].map(
    plain,
  );
}

/** A long line in several, broken between words. */
function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > WIDEST) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** Where a key that was made just now is kept: the key itself does not belong into a service's output. */
export const keyRemark = ({ created, file = '' }: Omit<AdminKey, 'key'>): string =>
  created ? `The administrator's key is new and kept in ${file}.\n` : '';

/** The key as a shell finds it. */
const shellKey = ({ file }: AdminKey): string =>
  file === undefined ? '$DAGI_ADMIN_KEY' : `$(cat '${file.replaceAll("'", `'\\''`)}')`;

/** A line that can be pasted into a shell as it is. */
function curlLine(url: string, admin: AdminKey, { dao, user }: Sample): string {
  const body = { prompt: 'What is this DAO about?', mode: 'chat', metadata: { dao_id: dao, user_id: user } };
  return `curl -s ${url}/route -H "Authorization: Bearer ${shellKey(admin)}" -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}
