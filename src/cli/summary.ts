import { join } from 'node:path';
import type { Env } from '../../config/env.js';
import { frame } from './steps.js';

export interface SummaryInput {
  env: Env;
  url: string;
  temporalUi: string | null;
  admin: { key: string; created: boolean };
  seconds: number;
}

/** What a person wants to know once it runs. */
export function summarise({ env, url, temporalUi, admin, seconds }: SummaryInput): string {
  const keyFile = join(env.home, 'admin.key');
  const lines = [
    `DAGI Stack runs (started in ${seconds.toFixed(1)} s)`,
    '',
    `API           ${url}`,
    `API docs      ${url}/docs`,
    ...(temporalUi === null ? [] : [`Temporal UI   ${temporalUi}`]),
    admin.created ? `Admin key     ${admin.key}` : `Admin key     kept in ${keyFile}`,
    ...(admin.created ? [`              (shown this once; kept in ${keyFile})`] : []),
    `Logs          ${join(env.home, 'logs')}`,
  ];
  return `\n${frame(lines)}\nAsk it yourself:\n${curlLine(url, keyFile)}\n\n`;
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
