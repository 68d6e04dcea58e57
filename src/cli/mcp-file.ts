import { applyEdits, modify, parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import stableStringify from 'safe-stable-stringify';
import { z } from 'zod';
import { CliError } from './failure.js';

/** A server as it is to stand in a client's file. */
export interface ServerChange {
  servers: string;
  name: string;
  entry: Record<string, unknown>;
  /** What the client is to ask its user for. */
  input?: { id: string; [field: string]: unknown } | undefined;
}

const BOM = '\uFEFF';
const FileSchema = z.looseObject({
  mcpServers: z.looseObject({}).optional(),
  servers: z.looseObject({}).optional(),
  inputs: z.array(z.looseObject({ id: z.string().optional() })).optional(),
});
type FileContent = z.output<typeof FileSchema>;

/**
 * The text of a client's file with a server in it; comments, order and all else stay as they are.
 * @throws CliError `FILE_BROKEN` where the text is none of such a file
 */
export function withServer(before: string, { servers, name, entry, input }: ServerChange, file: string): string {
  const bom = before.startsWith(BOM) ? BOM : '';
  const text = before.slice(bom.length);
  const content = text.trim() === '' ? undefined : read(text, file);
  let after = content ? text : '{}\n';
  const known = content?.[servers];
  if (!isSame(z.looseObject({}).safeParse(known).data?.[name], entry)) after = put(after, [servers, name], entry);
  if (input) after = withInput(after, input, content);
  return `${bom}${after}`;
}

function withInput(text: string, input: { id: string }, content: FileContent | undefined): string {
  const inputs = content?.inputs ?? [];
  const at = inputs.findIndex(({ id }) => id === input.id);
  if (at >= 0 && isSame(inputs[at], input)) return text;
  if (inputs.length === 0) return put(text, ['inputs'], [input]);
  return put(text, ['inputs', at < 0 ? inputs.length : at], input, at < 0);
}

function put(text: string, path: (string | number)[], value: unknown, isInsertion = false): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  const formattingOptions = { eol, insertSpaces: !indent.startsWith('\t'), tabSize: indent.length };
  return applyEdits(text, modify(text, path, value, { formattingOptions, isArrayInsertion: isInsertion }));
}

function read(text: string, file: string): FileContent {
  const errors: ParseError[] = [];
  const content: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    const lines = text.slice(0, first.offset).split('\n');
    const where = `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
    const what = printParseErrorCode(first.error);
    throw new CliError(
      'FILE_BROKEN',
      `${file} is no JSON (${what} in ${where}) and is left as it is: mend it and try again.`,
    );
  }
  const parsed = FileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new CliError('FILE_BROKEN', `${file} has something else than expected in ${where}, and is left as it is.`);
}

/** Whether two values of JSON are the same, whatever the order of names. */
const isSame = (one: unknown, other: unknown): boolean => stableStringify(one) === stableStringify(other);
