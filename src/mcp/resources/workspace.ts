import { v7 as uuid } from 'uuid';
import type { ToolName, ToolParams, ToolResults } from '../../contracts/devtools.js';
import { MCP_ROUTE_PREFIX } from '../../contracts/ids.js';
import { requestFields } from '../../contracts/log-fields.js';
import { AppError } from '../../errors/app-error.js';
import type { DrainService } from '../../services/drain.service.js';
import type { OutcomesService } from '../../services/outcomes.service.js';
import type { RepeatedCallsService } from '../../services/repeated-calls.service.js';
import type { RequestsService } from '../../services/requests.service.js';
import type { Reader } from './reading.js';
import { submissionOf } from '../tools/routed.js';

/** Longest wait for a file, in milliseconds: reading takes a moment, unless all workers are busy. */
const WAIT_MS = 30_000;
/** Most entries of a folder that are shown at once. */
const MOST_ENTRIES = 1_000;

/** Who reads files, within which call. */
export interface FileReader extends Reader {
  receivedAt: Date;
  /** Further fields of the line that the log has of the call. */
  fields: Record<string, string>;
  signal: AbortSignal;
}

export interface WorkspaceParts {
  repeated: RepeatedCallsService;
  requests: RequestsService;
  outcomes: OutcomesService;
  drain: DrainService;
}

/** The files of a workspace, each look at them a request as a tool's is: so rights, bounds and the record hold. */
export class WorkspaceFiles {
  constructor(private readonly parts: WorkspaceParts) {}

  /** @throws AppError those of `SubmissionsService` and of the tool */
  read(reader: FileReader, daoId: string, path: string): Promise<ToolResults['fs_read']> {
    return this.use(reader, daoId, 'fs_read', { path });
  }

  /** @throws AppError as `read` does */
  list(
    reader: FileReader,
    daoId: string,
    { path, limit = MOST_ENTRIES, cursor = '' }: { path: string; limit?: number; cursor?: string },
  ): Promise<ToolResults['fs_list']> {
    const place = path === '' ? {} : { path };
    return this.use(reader, daoId, 'fs_list', { ...place, limit, ...(cursor !== '' && { cursor }) });
  }

  private async use<Name extends ToolName>(
    { key, actingIn, receivedAt, fields, signal }: FileReader,
    daoId: string,
    tool: Name,
    params: ToolParams[Name],
  ): Promise<ToolResults[Name]> {
    const { repeated, requests, outcomes, drain } = this.parts;
    const submission = submissionOf({ prompt: '', mode: 'devtools', metadata: { tool, params } }, () =>
      actingIn({ daoId }),
    );
    const call = { key, requestId: uuid(), receivedAt, route: `${MCP_ROUTE_PREFIX}resources`, attach: false };
    const accepted = await repeated.begin(call, submission);
    Object.assign(fields, requestFields(accepted), { tool });
    const until = drain.orStopping(AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]));
    const body = await outcomes.wait(accepted, until);
    if (!body.ok) throw AppError.recorded(body.error);
    if (body.status === 'completed' && body.data !== null) return body.data as ToolResults[Name];
    requests.abandon(accepted);
    throw new AppError('TOOL_TIMEOUT');
  }
}
