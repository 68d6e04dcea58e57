import type { SandboxKind } from '../../contracts/devtools.js';
import type { SupplyReporter } from '../supply/reporter.js';
import type { DescribedSandbox } from './description.js';
import { NoSandbox } from './no-sandbox.js';

export interface SandboxOptions {
  kind: SandboxKind;
  /** Folder for what is obtained. */
  cache: string;
  reporter: SupplyReporter;
}

/**
 * The sandbox of a kind, tried once with a program that does nothing. Where it cannot run programs, the answer is one
 * that refuses them and says why.
 */
export async function openSandbox({ kind }: SandboxOptions): Promise<DescribedSandbox> {
  return new NoSandbox(`${kind} is not there yet.`);
}
