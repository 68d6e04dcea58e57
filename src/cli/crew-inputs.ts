import { readFileSync } from 'node:fs';
import { CliError } from './failure.js';
import { invalid } from './people.js';

/** What a run is given on the command line. */
export interface InputOptions {
  /** Each as `name=value`. */
  input?: readonly string[];
  /** A file with a JSON object. */
  inputs?: string;
}

/**
 * The inputs of a run: those of the file, and above them those that are named one by one.
 * @throws CliError `ARGUMENT_INVALID`
 */
export function inputsOf({ input = [], inputs: file }: InputOptions): Record<string, unknown> {
  const named = input.map((text): [string, unknown] => {
    const at = text.indexOf('=');
    if (at < 1) throw invalid(`${text}: an input is name=value, such as path=src or count=3.`);
    return [text.slice(0, at), valueOf(text.slice(at + 1))];
  });
  return { ...(file !== undefined && fromFile(file)), ...Object.fromEntries(named) };
}

/** JSON where it is JSON, else a text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function fromFile(file: string): object {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    const how = error instanceof SyntaxError ? `is not JSON (${error.message})` : 'cannot be read';
    throw new CliError('ARGUMENT_INVALID', `${file} ${how}.`, {}, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw invalid(`${file} has no JSON object with the inputs by name.`);
}
