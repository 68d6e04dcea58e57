import type { Env } from '../../config/env.js';
import { bindFailure } from '../adapters/temporal/ports.js';
import { AppError } from '../errors/app-error.js';

type Address = Pick<Env, 'HOST' | 'PORT'>;

/**
 * Makes sure that the API can listen where it is told to.
 * @throws AppError `SETUP_FAILED` with the remedy
 */
export async function requireAddress(address: Address): Promise<void> {
  const problem = await addressProblem(address);
  if (problem !== undefined) throw new AppError('SETUP_FAILED', problem);
}

/** The same of the MCP server. @throws AppError `SETUP_FAILED` with the remedy */
export async function requireMcpAddress(
  { HOST, MCP_PORT }: Pick<Env, 'HOST' | 'MCP_PORT'>,
  option = '--mcp-port',
): Promise<void> {
  const problem = await addressProblem({ HOST, PORT: MCP_PORT }, option);
  if (problem !== undefined) throw new AppError('SETUP_FAILED', problem);
}

/** What keeps the API from listening there, with the remedy; undefined if nothing does. */
export async function addressProblem({ HOST, PORT }: Address, option = '--port'): Promise<string | undefined> {
  const failure = await bindFailure(PORT, HOST);
  if (failure === undefined) return undefined;
  const nextIsFree = failure === 'EADDRINUSE' && PORT < 65_535 && (await bindFailure(PORT + 1, HOST)) === undefined;
  return explain(failure, { HOST, PORT }, { option, hint: nextIsFree ? ` (${PORT + 1} is free)` : '' });
}

/** A refusal of the operating system in words. */
export function explain(failure: string, { HOST, PORT }: Address, { option = '--port', hint = '' } = {}): string {
  switch (failure) {
    case 'EADDRINUSE':
      return `Port ${PORT} is in use: stop the program that holds it, or choose another port with ${option}${hint}.`;
    case 'EACCES':
      return `Port ${PORT} is kept for the administrator of this machine: choose one above 1023 with ${option}.`;
    default:
      return `This machine cannot listen on HOST ${HOST} (${failure}): set HOST to an address of its own, for example 127.0.0.1 or 0.0.0.0.`;
  }
}
