import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { ReportStream } from '../adapters/supply/reporter.js';
import type { DialogHead, DialogPrompt, DialogRecord } from '../contracts/dialog-record.js';
import { DialogSchema } from '../schemas/dialog-records.js';
import type { DagiClient } from './client.js';
import { ExportProgress } from './export-progress.js';
import { ask, query } from './people.js';
import type { Pseudonyms } from './pseudonyms.js';
import { understood } from './understood.js';

const LIMIT = '200';
/** Words of members: for whoever exports them alone. */
const [FOLDER_MODE, FILE_MODE] = [0o700, 0o600];

const next = z.string().nullable();
/** An id becomes the name of a file. */
const ListSchema = z.looseObject({
  dialogs: z.array(z.looseObject({ dialog_id: z.string().regex(/^[\w-]+$/) })),
  next,
});
const PartSchema = DialogSchema.extend({ next });
type Part = z.output<typeof PartSchema>;

export interface DialogsExportOptions {
  /** Absent: the DAO of the key, or the usual one. */
  dao?: string | undefined;
  /** The first day, as an ISO date at UTC; absent: from the beginning. */
  since?: string | undefined;
  out: string;
}

/** How much was exported. */
export interface Exported {
  dialogs: number;
  prompts: number;
}

/**
 * `dagi dialogs export`: a file for each dialog, with what was written in it since a day. Parts of dialogs pass through,
 * so that none has to be held.
 * @param names stand in place of people's ids; absent: ids stay
 * @throws CliError of the server; what is written by then stays, each file whole
 */
export async function exportDialogs(
  client: DagiClient,
  { dao, since, out }: DialogsExportOptions,
  err: ReportStream,
  names?: Pseudonyms,
): Promise<Exported> {
  await mkdir(out, { recursive: true, mode: FOLDER_MODE });
  const filter = { dao_id: dao, since: since === undefined ? undefined : `${since}T00:00:00Z` };
  const progress = new ExportProgress(err, 'dialogs', undefined);
  let prompts = 0;
  try {
    for await (const id of idsOf(client, filter)) {
      const parts = partsOf(client, id, filter);
      const counted = async function* (): AsyncGenerator<Part> {
        for await (const part of parts) {
          prompts += part.prompts.length;
          yield names ? renamed(part, names) : part;
        }
      };
      await intoFile(textOf(counted()), join(out, `dialog-${id}.json`));
      progress.step();
    }
  } finally {
    progress.end();
  }
  return { dialogs: progress.done, prompts };
}

type Filter = Readonly<Record<string, string | undefined>>;

async function* idsOf(client: DagiClient, filter: Filter): AsyncGenerator<string> {
  for (let after: string | null = ''; after !== null;) {
    const path = `/dialogs${query({ ...filter, limit: LIMIT, after })}`;
    const page: z.output<typeof ListSchema> = understood(ListSchema, await ask(client, 'GET', path));
    for (const { dialog_id: id } of page.dialogs) yield id;
    after = page.next;
  }
}

async function* partsOf(client: DagiClient, id: string, filter: Filter): AsyncGenerator<Part> {
  for (let after: string | null = ''; after !== null;) {
    const path = `/dialogs/${id}${query({ ...filter, limit: LIMIT, after })}`;
    const part: Part = understood(PartSchema, await ask(client, 'GET', path));
    yield part;
    after = part.next;
  }
}

function renamed({ user_id: user, prompts, insights, ...rest }: Part, names: Pseudonyms): Part {
  const { worked_well, issues, suggestions } = insights;
  return {
    ...rest,
    user_id: user === null ? null : names.of(user),
    prompts: prompts.map((prompt) => ({ ...prompt, text: names.inText(prompt.text) })),
    insights: { worked_well, issues, suggestions: names.inText(suggestions) },
  };
}

/** The parts of a dialog as the JSON of one, piece by piece. What members think of it is told with each part. */
async function* textOf(parts: AsyncIterable<Part>): AsyncGenerator<string> {
  let insights: DialogRecord['insights'] | undefined;
  let before = '';
  for await (const { prompts, insights: told, dialog_id, timestamp, user_id, dao_id } of parts) {
    const head: DialogHead = { dialog_id, timestamp, user_id, dao_id };
    if (insights === undefined) yield `${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "prompts": [`;
    insights = told;
    for (const prompt of prompts) {
      yield `${before}\n${indented(prompt)}`;
      before = ',';
    }
  }
  yield `\n  ],\n  "insights": ${JSON.stringify(insights, undefined, 2).replaceAll('\n', '\n  ')}\n}\n`;
}

const indented = (prompt: DialogPrompt): string => JSON.stringify(prompt, undefined, 2).replaceAll(/^/gm, '    ');

/** What lies under the name is whole. */
async function intoFile(text: AsyncGenerator<string>, file: string): Promise<void> {
  const part = `${file}.part`;
  await pipeline(Readable.from(text), createWriteStream(part, { mode: FILE_MODE }));
  await rename(part, file);
}
