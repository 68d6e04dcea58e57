import { resolve } from 'node:path';
import { z } from 'zod';
import { processVariables, type Env } from '../../config/env.js';
import { packagePath } from '../../config/paths.js';
import type { Target } from '../mcp/stdio/headers.js';
import { CliError } from './failure.js';
import { readAdminKey } from './instance.js';
import { readRunFile } from './run-file.js';

/** What says where the MCP server is. */
export type McpEnv = Pick<Env, 'home' | 'DAGI_URL' | 'DAGI_MCP_URL' | 'DAGI_API_KEY'>;

const Variables = z.object({
  DAGI_HOME: z.string().optional(),
  DAGI_URL: z.url().optional(),
  DAGI_MCP_URL: z.url().optional(),
  DAGI_API_KEY: z.string().optional(),
});

/**
 * The environment of the process alone: clients start the bridge in folders of their users, whose `.env` and `var` are none
 * of its. Where nothing names a home, it is that of this installation.
 * @throws CliError `CONFIG_INVALID`
 */
export function bridgeEnv({ home, url }: { home?: string | undefined; url?: string | undefined }): McpEnv {
  const parsed = Variables.safeParse({ ...processVariables(), ...(url !== undefined && { DAGI_MCP_URL: url }) });
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => path.join('.')).join(' and ');
    throw new CliError(
      'CONFIG_INVALID',
      `Environment: ${names} must be an address that begins with http:// or https://.`,
    );
  }
  const { DAGI_HOME, ...rest } = parsed.data;
  return { home: resolve(home ?? DAGI_HOME ?? packagePath('var')), ...rest };
}

/**
 * The MCP server that is meant: the one that DAGI_MCP_URL (or --url) names, else that of the instance which runs on this
 * home; where DAGI_URL names an instance, it must be that one.
 * @throws CliError with the remedy
 */
export async function findMcp(env: McpEnv): Promise<Target> {
  const running = await readRunFile(env.home);
  const url = env.DAGI_MCP_URL ?? urlOf(env, running);
  // A key of this home's administrator must not be sent to another machine.
  const key = env.DAGI_API_KEY ?? (url === running?.mcp_url ? await readAdminKey(env.home) : undefined);
  if (key === undefined) throw new CliError('NO_KEY', `There is no key for ${url}: set DAGI_API_KEY.`);
  if (!/^[\x21-\x7e]+$/.test(key)) throw new CliError('NO_KEY', 'DAGI_API_KEY holds characters that no key has.');
  return { url, key };
}

function urlOf({ home, DAGI_URL }: McpEnv, running: { url: string; mcp_url?: string | undefined } | undefined): string {
  if (DAGI_URL !== undefined && DAGI_URL.replace(/\/+$/, '') !== running?.url) {
    const sentence = `DAGI_URL is the address of the API: say where MCP is with --url or DAGI_MCP_URL, such as http://host:9400/mcp.`;
    throw new CliError('NO_MCP_URL', sentence);
  }
  if (!running) {
    const remedy = 'start it with "npm run up", or give its address with --url and its key with DAGI_API_KEY';
    throw new CliError('NOT_RUNNING', `Nothing is running on ${home}: ${remedy}.`);
  }
  if (running.mcp_url === undefined) {
    const sentence = `What runs on ${home} serves no MCP: start it again with this version.`;
    throw new CliError('NOT_RUNNING', sentence);
  }
  return running.mcp_url;
}
