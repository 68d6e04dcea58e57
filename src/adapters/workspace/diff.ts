import { createTwoFilesPatch } from 'diff';
import type { DiffParams, DiffResult, ToolLimits } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { isText, readContent, tooLarge } from './content.js';
import { at } from './faults.js';
import { parseFilePath, pathOf } from './path.js';
import { cutText } from './text.js';
import { inFolder, type Opener } from './walk.js';

const LONGEST_MS = 500;
const CONTEXT = 3;

type Limits = Pick<ToolLimits, 'fileBytes' | 'outputBytes'>;

/**
 * The unified diff from a file to another, or to a text.
 * @throws AppError `PATH_DENIED`, `FILE_NOT_FOUND`, `NOT_A_FILE`, `NOT_A_FOLDER`, `FILE_TOO_LARGE`, `BODY_INVALID`,
 *   `TOOL_FAILED` if one is no text, or they differ in too much
 */
export async function diff(open: Opener, params: DiffParams, limits: Limits): Promise<DiffResult> {
  const before = await textAt(open, params.path, limits);
  const after = await other(open, params, before.path, limits);
  if (before.text === after.text) return { diff: '', changed: false, truncated: false };
  const options = {
    context: params.context ?? CONTEXT,
    timeout: LONGEST_MS,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  };
  const [from, to] = [`a/${before.path}`, `b/${after.path}`];
  const text = createTwoFilesPatch(from, to, before.text, after.text, undefined, undefined, options);
  if (text === undefined) throw new AppError('TOOL_FAILED', 'The two differ in too much to be compared.');
  const bytes = Buffer.from(text);
  const given = cutText(bytes, limits.outputBytes);
  return { diff: given.toString('utf8'), changed: true, truncated: given.length < bytes.length };
}

interface NamedText {
  path: string;
  text: string;
}

async function other(open: Opener, params: DiffParams, path: string, limits: Limits): Promise<NamedText> {
  const { other_path: otherPath, content } = params;
  if (content !== undefined && Buffer.byteLength(content) > limits.fileBytes)
    throw tooLarge('content', limits.fileBytes);
  if (content !== undefined) return { path, text: content };
  if (otherPath !== undefined) return textAt(open, otherPath, limits);
  throw new AppError('BODY_INVALID', 'One of other_path and content is needed.', { param: 'other_path' });
}

async function textAt(open: Opener, given: string, limits: Limits): Promise<NamedText> {
  const names = parseFilePath(given);
  const name = names.pop() ?? '';
  const path = pathOf([...names, name]);
  const { bytes } = await at(path, () =>
    inFolder(open, names, (folder) => readContent(folder, name, limits.fileBytes)),
  );
  if (!isText(bytes)) throw new AppError('TOOL_FAILED', `${JSON.stringify(path)} is no text in UTF-8.`, { path });
  return { path, text: bytes.toString('utf8') };
}
