import { readFile, readdir } from 'node:fs/promises';

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Descriptors of this process that a program of ours would inherit, beside the first three: those that we got from our
 * own parent without the mark that closes them. Node does not close them, and a shell cannot name those above 9.
 */
export async function inheritedDescriptors(): Promise<number[]> {
  const names = await readdir('/proc/self/fd').catch(() => []);
  const numbers = names.map(Number).filter((number) => number > 2);
  const kept = await Promise.all(numbers.map(isInherited));
  return numbers.filter((_, index) => kept[index]);
}

async function isInherited(descriptor: number): Promise<boolean> {
  const text = await readFile(`/proc/self/fdinfo/${descriptor}`, 'utf8').catch(() => '');
  const flags = /^flags:\s+([0-7]+)$/m.exec(text)?.[1];
  return flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
}
