import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import type { SandboxDescription } from '../adapters/sandbox/description.js';
import { bubblewrapParts, findBubblewrap } from '../adapters/supply/bubblewrap.js';
import { inspect } from '../adapters/supply/checksum.js';
import type { SandboxKind } from '../contracts/devtools.js';
import { sandboxOf } from '../devtools.js';
import { bad, fine, type Finding } from './doctor-finding.js';

const ROOT_REMARK =
  'programs run as root, without a container around them: an ordinary user for this product would hold them better.';

/** Whether programs of tools can be run as the profile says: a program is run for it. */
export async function checkSandbox(env: Env): Promise<Finding> {
  const loaded = loadConfig(env);
  const { sandbox: wanted } = loaded.profile.devtools;
  if (wanted === 'bubblewrap' && (await isStillToCome(env.cache))) {
    return fine('bubblewrap is not here yet; the first start fetches it');
  }
  const description = (await sandboxOf(env, loaded)).describe();
  return sandboxFinding(wanted, description, process.getuid?.() === 0 && !(await isInContainer()));
}

/**
 * A sandbox in one line.
 * @param wanted kind that the profile asks for
 * @param bareRoot whether we are root with nothing around us
 */
export function sandboxFinding(wanted: SandboxKind, found: SandboxDescription, bareRoot: boolean): Finding {
  const { kind, bounds, program, reason } = found;
  if (kind === 'off') return (wanted === 'off' ? fine : bad)(reason ?? 'programs cannot be run.');
  const parts = [kind, `bounds by ${bounds ?? 'nothing'}`, program].filter((part) => part !== undefined);
  const remarks = [reason, bareRoot ? ROOT_REMARK : undefined].filter((remark) => remark !== undefined);
  return fine(parts.join(', ') + remarks.map((remark) => `\n     warning: ${remark}`).join(''));
}

/** A look obtains nothing. */
async function isStillToCome(cache: string): Promise<boolean> {
  const platform = `${process.platform}-${process.arch}`;
  if (!/^linux-(x64|arm64)$/.test(platform) || (await findBubblewrap())) return false;
  const { program } = bubblewrapParts(platform);
  return (await inspect(join(cache, program.file), program.sha256)) === 'absent';
}

/** What Docker, Podman and systemd leave in a container; other ones tell by the variables of its first process. */
const CONTAINER_SIGNS = ['/.dockerenv', '/run/.containerenv', '/run/systemd/container'];

async function isInContainer(): Promise<boolean> {
  const signs = await Promise.all(CONTAINER_SIGNS.map((path) => access(path).then(...YES_OR_NO)));
  if (signs.includes(true)) return true;
  const variables = await readFile('/proc/1/environ', 'utf8').catch(() => '');
  return /(^|\0)(container|KUBERNETES_SERVICE_HOST)=/.test(variables);
}

const YES_OR_NO = [() => true, () => false] as const;
