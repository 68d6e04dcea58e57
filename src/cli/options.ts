import { join, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { readEnv, type Env } from '../../config/env.js';

/** Options that stand above the environment. */
export interface Overrides {
  profile?: string;
  port?: number;
  mcpPort?: number;
  home?: string;
}

/** The environment, with what the command line says on top. */
export function resolveEnv(overrides: Overrides = {}, env: Env = readEnv()): Env {
  const home = overrides.home === undefined ? env.home : resolve(overrides.home);
  return Object.freeze({
    ...env,
    home,
    // A cache that is named stays, even where it is the folder that it would be in by itself.
    cache: env.DAGI_CACHE === undefined ? join(home, 'cache') : env.cache,
    DAGI_PROFILE: overrides.profile ?? env.DAGI_PROFILE,
    PORT: overrides.port ?? env.PORT,
    MCP_PORT: overrides.mcpPort ?? env.MCP_PORT,
  });
}

/** Parses a port for commander. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}
