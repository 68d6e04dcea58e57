import type { Env } from '../../config/env.js';
import { readEnv } from '../../config/env.js';
import { checksOf } from './doctor-checks.js';
import { bad, type Finding } from './doctor-finding.js';
import { resolveEnv } from './options.js';
import { plain } from './plain-text.js';
import { readRunFile } from './run-file.js';

/** `dagi doctor`: each line OK or the remedy. Gives whether all is well. */
export async function doctor(home: string | undefined, write: (text: string) => void): Promise<boolean> {
  const env = tryReadEnv(home);
  if (env instanceof Error) {
    write(line('environment', bad(env.message)));
    return false;
  }
  const running = await readRunFile(env.home);
  write(running ? `An instance runs on ${env.home} (process ${running.pid}).\n` : `Nothing runs on ${env.home}.\n`);
  let allFine = true;
  for (const check of checksOf(env, running)) {
    const finding = await check
      .run()
      .catch((error: unknown) => bad(error instanceof Error ? error.message : String(error)));
    allFine &&= finding.ok;
    write(line(check.name, finding));
  }
  return allFine;
}

function tryReadEnv(home: string | undefined): Env | Error {
  try {
    return resolveEnv(home === undefined ? {} : { home }, readEnv());
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const line = (name: string, { ok, text }: Finding): string =>
  `${ok ? 'OK  ' : 'FAIL'} ${name.padEnd(14)} ${plain(text)}\n`;
