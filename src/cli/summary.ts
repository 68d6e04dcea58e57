import { join } from 'node:path';
import type { Env } from '../../config/env.js';
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
  admin: { key: string; created: boolean };
  seconds: number;
  config: ConfigState;
}

/** What a person wants to know once it runs. */
export function summarise({ env, url, mcpUrl, temporalUi, admin, seconds, config }: SummaryInput): string {
  const keyFile = join(env.home, 'admin.key');
  const lines = [
    `DAGI Stack runs (started in ${seconds.toFixed(1)} s)`,
    '',
    `API           ${url}`,
    `API docs      ${url}/docs`,
    `MCP           ${mcpUrl}`,
    ...(temporalUi === null ? [] : [`Temporal UI   ${temporalUi}`]),
    admin.created ? `Admin key     ${admin.key}` : `Admin key     kept in ${keyFile}`,
    ...(admin.created ? [`              (shown this once; kept in ${keyFile})`] : []),
    `Logs          ${join(env.home, 'logs')}`,
    ...noteLines(config),
  ];
  return `\n${frame(lines)}\nAsk it yourself:\n${curlLine(url, keyFile)}\n\n`;
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
export const keyRemark = (home: string, { created }: { created: boolean }): string =>
  created ? `The administrator's key is new and kept in ${join(home, 'admin.key')}.\n` : '';

/** A line that can be pasted into a shell as it is. */
function curlLine(url: string, keyFile: string): string {
  const body = {
    prompt: 'What is this DAO about?',
    mode: 'chat',
    metadata: { dao_id: 'greenfood-dao', user_id: 'tg:12345' },
  };
  const key = `"Authorization: Bearer $(cat '${keyFile.replaceAll("'", `'\\''`)}')"`;
  return `curl -s ${url}/route -H ${key} -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}
