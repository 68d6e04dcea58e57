import type { BlobResourceContents, TextResourceContents } from '@modelcontextprotocol/server';
import type { Dao } from '../../contracts/dao.js';
import type { DialogPrompt } from '../../contracts/dialog-record.js';
import type { ListedEntry, ReadResult } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import type { AccessService } from '../../services/access.service.js';
import type { CrewRunsService } from '../../services/crew-runs.service.js';
import type { DaosService } from '../../services/daos.service.js';
import type { DialogPart, DialogRecordsService } from '../../services/dialog-records.service.js';
import type { ProposalsService } from '../../services/proposals.service.js';
import type { VotesService } from '../../services/votes.service.js';
import { runShown } from '../tools/run-answer.js';
import { uriOf, type Address } from './address.js';
import { JSON_TYPE, mediaTypeFor, mediaTypeOf, TEXT_TYPE } from './media-types.js';
import { readAt, nothingAt, type Reader } from './reading.js';
import type { FileReader, WorkspaceFiles } from './workspace.js';

/** Most of one resource, in bytes. */
const MOST_BYTES = 1_000_000;
/** Most messages of a dialog that are shown: its last ones. */
const MOST_PROMPTS = 200;
/** A dialog is walked through in parts of so many messages, this often at most. */
const PART = 200;
const MOST_PARTS = 50;

export type Contents = TextResourceContents | BlobResourceContents;

/** Addresses of what the database knows: all but files. */
export type KnownAddress = Exclude<Address, { kind: 'file' }>;

export interface ResourcesParts {
  access: AccessService;
  daos: DaosService;
  dialogs: DialogRecordsService;
  files: WorkspaceFiles;
  proposals: ProposalsService;
  runs: CrewRunsService;
  votes: VotesService;
}

/** What a client is told to do about something that is too large to be read whole. */
const PARTS_OF: Readonly<Record<KnownAddress['kind'], string>> = {
  dao: 'Ask for parts of it with the tool microdao_query, or with GET /daos/<id> of the API.',
  proposal: 'Read it with GET /proposals/<n> of the API.',
  dialog: 'Read it part by part with GET /dialogs/<id> of the API.',
  run: 'The tool crew_status says how it stands; GET /crews/runs/<id> of the API gives all of it.',
};

/** Things of a DAO as clients read them, by the services that the API reads by. */
export class Resources {
  constructor(private readonly parts: ResourcesParts) {}

  /** @throws ProtocolError with the address where there is nothing, or nothing that may be read */
  async read(reader: FileReader, uri: string, address: Address | undefined): Promise<Contents> {
    if (!address) throw nothingAt(uri);
    return readAt(uri, async () => {
      if (address.kind === 'file') return this.file(reader, uri, address);
      const text = JSON.stringify(await this.known(reader, address), undefined, 1);
      const size = Buffer.byteLength(text);
      if (size <= MOST_BYTES) return { uri, mimeType: JSON_TYPE, text };
      return { uri, mimeType: TEXT_TYPE, text: `This has ${size} bytes, too many at once. ${PARTS_OF[address.kind]}` };
    });
  }

  /** @throws AppError those of the services */
  async known(reader: Reader, address: KnownAddress): Promise<object> {
    const { key } = reader;
    const named = reader.actingIn({ daoId: address.daoId });
    switch (address.kind) {
      case 'dao':
        return this.dao(reader, address.daoId);
      case 'proposal': {
        const { daoId, proposal } = await this.parts.proposals.get(key, named, address.n);
        return { dao_id: daoId, ...proposal, tally: await this.parts.votes.tally(key, named, address.n) };
      }
      case 'dialog':
        return this.dialog(reader, address.daoId, address.id);
      case 'run': {
        const run = await this.parts.runs.get(key, address.id, { userId: named.userId });
        // Its id alone finds it, in whichever DAO it is.
        if (run.dao_id !== address.daoId) throw new AppError('RUN_NOT_FOUND');
        return runShown(run);
      }
    }
  }

  private async dao(reader: Reader, daoId: string): Promise<Dao> {
    // Whom a gateway key names may less than the key.
    await this.parts.access.require(reader.key, reader.actingIn({ daoId }), 'chat.read');
    return this.parts.daos.get(reader.key, daoId);
  }

  /** A dialog with its last messages, which matter most. */
  private async dialog(reader: Reader, daoId: string, id: string): Promise<object> {
    const named = reader.actingIn({ daoId });
    let all: DialogPrompt[] = [];
    let part: DialogPart;
    let after: string | undefined;
    let count = 0;
    let parts = 0;
    do {
      part = await this.parts.dialogs.get(reader.key, id, { ...named, after, limit: PART });
      count += part.prompts.length;
      all = [...all, ...part.prompts].slice(-MOST_PROMPTS);
      after = part.next ?? undefined;
      parts += 1;
    } while (after !== undefined && parts < MOST_PARTS);
    const { dialog_id, timestamp, user_id, dao_id, insights, next } = part;
    const left = count - all.length;
    return {
      ...{ dialog_id, timestamp, user_id, dao_id, insights, prompts: all },
      ...(left > 0 && { earlier_prompts: left }),
      ...(next !== null && { more: true }),
    };
  }

  private async file(
    reader: FileReader,
    uri: string,
    { daoId, path }: Extract<Address, { kind: 'file' }>,
  ): Promise<Contents> {
    if (path === '' || path.endsWith('/')) return this.folder(reader, uri, { daoId, path });
    try {
      return fileContents(uri, await this.parts.files.read(reader, daoId, path));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'NOT_A_FILE') return this.folder(reader, uri, { daoId, path });
      if (error.code === 'FILE_TOO_LARGE') return { uri, mimeType: TEXT_TYPE, text: error.message };
      throw error;
    }
  }

  private async folder(reader: FileReader, uri: string, place: { daoId: string; path: string }): Promise<Contents> {
    const { daoId } = place;
    const { path, entries, truncated } = await this.parts.files.list(reader, daoId, { path: place.path });
    const shown = { path, entries: entries.map((entry) => entryShown(daoId, entry)) };
    const hint = { truncated, hint: 'There are more: call devtools_task with fs_list and this path.' };
    return { uri, mimeType: JSON_TYPE, text: JSON.stringify({ ...shown, ...(truncated && hint) }, undefined, 1) };
  }
}

/** An entry of a folder with the address under which it is read; what no tool opens has none. */
function entryShown(daoId: string, entry: ListedEntry): object {
  if (entry.type !== 'file' && entry.type !== 'folder') return entry;
  const path = entry.type === 'folder' ? `${entry.path}/` : entry.path;
  const mimeType = entry.type === 'file' ? mediaTypeOf(path) : undefined;
  return { ...entry, uri: uriOf({ daoId, kind: 'file', path }), ...(mimeType !== undefined && { mimeType }) };
}

function fileContents(uri: string, { path, content, encoding, size, truncated }: ReadResult): Contents {
  const isText = encoding === 'utf8';
  if (truncated || size > MOST_BYTES) return { uri, mimeType: TEXT_TYPE, text: tooLarge(path, size, isText) };
  const mimeType = mediaTypeFor(path, isText);
  return isText ? { uri, mimeType, text: content } : { uri, mimeType, blob: content };
}

function tooLarge(path: string, size: number, isText: boolean): string {
  const head = `${path} has ${size} bytes, more than is given at once.`;
  if (!isText) return `${head} It is no text, so there are no parts of it to read.`;
  const params = JSON.stringify({ path, from_line: 1, lines: 200 });
  return `${head} Read it in parts: call the tool devtools_task with tool fs_read and params ${params}, and so on.`;
}
