import type { DiffParams, DiffResult, ToolLimits } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { contentAt, isText, tooLarge } from './content.js';
import { textThreads } from './text-threads.js';
import { cutText } from './text.js';
import type { Opener } from './walk.js';

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
  if (before.bytes.equals(after.bytes)) return { diff: '', changed: false, truncated: false };
  const given = await textThreads.run('diff', {
    names: [`a/${before.path}`, `b/${after.path}`],
    texts: [before.bytes, after.bytes],
    context: params.context ?? CONTEXT,
    most: limits.outputBytes,
  });
  if (given === undefined) throw new AppError('TOOL_FAILED', 'The two are too different to compare.');
  const text = cutText(Buffer.from(given.buffer), limits.outputBytes).toString('utf8');
  return { diff: text, changed: true, truncated: given.length > limits.outputBytes };
}

interface NamedText {
  path: string;
  bytes: Buffer;
}

async function other(open: Opener, params: DiffParams, path: string, limits: Limits): Promise<NamedText> {
  const { other_path: otherPath, content } = params;
  if (content !== undefined && Buffer.byteLength(content) > limits.fileBytes)
    throw tooLarge('content', limits.fileBytes);
  if (content !== undefined) return { path, bytes: Buffer.from(content) };
  if (otherPath !== undefined) return textAt(open, otherPath, limits);
  throw new AppError('BODY_INVALID', 'One of other_path and content is needed.', { param: 'other_path' });
}

async function textAt(open: Opener, given: string, limits: Limits): Promise<NamedText> {
  const { path, bytes } = await contentAt(open, given, limits.fileBytes);
  if (!isText(bytes)) throw new AppError('TOOL_FAILED', `${JSON.stringify(path)} is no text in UTF-8.`, { path });
  return { path, bytes };
}
