import type { ReadParams, ReadResult, ToolLimits } from '../../contracts/devtools.js';
import { contentAt, isText, type Content } from './content.js';
import { cutText } from './text.js';
import type { Opener } from './walk.js';

/** Most of a file that is no text, in bytes. */
const BINARY_BYTES = 262_144;
const NEWLINE = 10;

/**
 * A file, or some lines of it. Lines keep their ends, so that the parts of a file make up the file.
 * @throws AppError `PATH_DENIED`, `FILE_NOT_FOUND`, `NOT_A_FILE`, `NOT_A_FOLDER`, `FILE_TOO_LARGE`, `TOOL_FAILED`
 */
export async function read(
  open: Opener,
  params: ReadParams,
  limits: Pick<ToolLimits, 'fileBytes' | 'outputBytes'>,
): Promise<ReadResult> {
  const { path, ...content } = await contentAt(open, params.path, limits.fileBytes);
  return isText(content.bytes)
    ? textOf(path, content, params, limits.outputBytes)
    : bytesOf(path, content, limits.outputBytes);
}

function bytesOf(path: string, { bytes, hash }: Content, most: number): ReadResult {
  // Four characters stand for three bytes.
  const given = bytes.subarray(0, Math.min(BINARY_BYTES, Math.floor(most / 4) * 3));
  const content = given.toString('base64');
  return { path, content, encoding: 'base64', hash, size: bytes.length, truncated: given.length < bytes.length };
}

function textOf(path: string, { bytes, hash }: Content, params: ReadParams, most: number): ReadResult {
  const starts = lineStarts(bytes);
  const first = (params.from_line ?? 1) - 1;
  const start = starts[first] ?? bytes.length;
  const end = params.lines === undefined ? bytes.length : (starts[first + params.lines] ?? bytes.length);
  const given = cutText(bytes.subarray(start, end), most);
  return {
    path,
    content: given.toString('utf8'),
    encoding: 'utf8',
    hash,
    size: bytes.length,
    total_lines: starts.length,
    truncated: start + given.length < bytes.length,
  };
}

/** Where each line begins, in bytes. */
function lineStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    starts.push(at);
    const end = bytes.indexOf(NEWLINE, at);
    at = end === -1 ? bytes.length : end + 1;
  }
  return starts;
}
