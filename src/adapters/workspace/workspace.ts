import type {
  DiffParams,
  DiffResult,
  ListParams,
  ListResult,
  PatchParams,
  PatchResult,
  ReadParams,
  ReadResult,
  ToolLimits,
  WriteParams,
  WriteResult,
} from '../../contracts/devtools.js';
import { diff } from './diff.js';
import { at } from './faults.js';
import { list } from './list.js';
import type { PathLocks } from './locks.js';
import { parsePatchFiles, patch } from './patch.js';
import { parseFolderPath, parseWritePath, pathOf } from './path.js';
import { read } from './read.js';
import type { Usage } from './usage.js';
import { inFolder, type Opener } from './walk.js';
import { WriteRun, type Writing } from './write-run.js';
import { write } from './write.js';

type FileLimits = Pick<ToolLimits, 'fileBytes' | 'outputBytes'>;

/** The files of a DAO. Nothing outside its folder is read, written or told of, whatever paths and links say. */
export class Workspace {
  /** @param folder absolute path of its folder */
  constructor(
    readonly folder: string,
    private readonly open: Opener,
    private readonly locks: PathLocks,
    private readonly usage: Usage,
  ) {}

  /**
   * A folder of the workspace as a path in one form, `.` for the workspace itself.
   * @throws AppError `PATH_DENIED`, `FILE_NOT_FOUND`, `NOT_A_FOLDER`, `TOOL_FAILED`
   */
  async requireFolder(path: string): Promise<string> {
    const names = parseFolderPath(path);
    await at(pathOf(names), () => inFolder(this.open, names, () => Promise.resolve()));
    return pathOf(names);
  }

  /** @throws AppError as `read` of `read.ts` */
  read(params: ReadParams, limits: FileLimits): Promise<ReadResult> {
    return read(this.open, params, limits);
  }

  /** @throws AppError as `write` of `write.ts` */
  async write(params: WriteParams, limits: FileLimits, writing: Writing): Promise<WriteResult> {
    const path = pathOf(parseWritePath(params.path));
    return this.alone([path], writing, (run) => write(run, params, limits));
  }

  /** @throws AppError as `list` of `list.ts` */
  list(params: ListParams): Promise<ListResult> {
    return list(this.open, params);
  }

  /** @throws AppError as `diff` of `diff.ts` */
  diff(params: DiffParams, limits: FileLimits): Promise<DiffResult> {
    return diff(this.open, params, limits);
  }

  /** @throws AppError as `patch` of `patch.ts` */
  async patch(params: PatchParams, limits: FileLimits, writing: Writing): Promise<PatchResult> {
    const files = await parsePatchFiles(params, limits);
    const paths = files.map(({ path }) => path);
    return this.alone(paths, writing, (run) => patch(run, files, params, limits));
  }

  private alone<T>(paths: readonly string[], writing: Writing, call: (run: WriteRun) => Promise<T>): Promise<T> {
    const keys = paths.map((path) => `${this.folder}/${path}`);
    return this.locks.run(keys, () => new WriteRun(this.open, writing, this.usage).run(call));
  }
}
