import { AppError } from '../../errors/app-error.js';
import { denied, notAFile } from './path.js';

/** The code of an error of the operating system, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  if (!Error.isError(error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What a caller is told of an error at a path; anything that is no error of the operating system stays as it is. */
export function faultAt(path: string, error: unknown): unknown {
  if (error instanceof AppError) return error;
  const code = systemCode(error);
  switch (code) {
    case undefined:
      return error;
    case 'ENOENT':
      return new AppError('FILE_NOT_FOUND', `There is no ${JSON.stringify(path)} in the workspace.`, { path });
    case 'EEXIST':
      return new AppError('FILE_EXISTS', `There is a file ${JSON.stringify(path)} already.`, { path });
    case 'ENOTDIR':
      return notAFolder(path);
    case 'EISDIR':
      return notAFile(path);
    case 'ELOOP':
      return denied(path, 'is a link, which no tool follows');
    default:
      return new AppError('TOOL_FAILED', `${JSON.stringify(path)}: ${reasonOf(code)}.`, { path }, { cause: error });
  }
}

export const notAFolder = (path: string): AppError =>
  new AppError('NOT_A_FOLDER', `${JSON.stringify(path)} is no folder.`, { path });

/** Runs an action at a path; its errors become those of the catalogue. */
export async function at<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw faultAt(path, error);
  }
}

function reasonOf(code: string): string {
  const known: Readonly<Record<string, string>> = {
    EACCES: 'this installation may not open it',
    EPERM: 'this installation may not change it',
    EROFS: 'the workspace is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
  };
  return known[code] ?? `the operating system says ${code}`;
}
