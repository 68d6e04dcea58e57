import {
  ProtocolError,
  ProtocolErrorCode,
  type ListResourcesResult,
  type Resource,
} from '@modelcontextprotocol/server';
import type { Entitlement } from '../../contracts/access.js';
import { ourId } from '../../schemas/common.js';
import type { Acting } from '../../services/access.service.js';
import type { Page } from '../../services/pages.js';
import { proposalNumber } from '../../services/proposals.service.js';
import { cursorOf, positionIn, type Position } from './cursor.js';
import { daoResource, dialogResource, fileResource, proposalResource, runResource } from './described.js';
import { answering, isNothing } from './reading.js';
import type { ResourcesParts } from './resources.js';
import type { FileReader } from './workspace.js';

/** Most entries of one part of the list. */
const PAGE = 50;

/** One kind of what there is to read, part by part. */
interface Kind {
  needs: Entitlement;
  /** Whether a part can begin behind this. */
  isPlace: (after: string) => boolean;
  page: (look: Look, after: string, room: number) => Promise<Page<Resource>>;
}

/** Who looks at what there is. */
interface Look {
  reader: FileReader;
  parts: ResourcesParts;
  acting: Acting;
}

const isId = (text: string): boolean => text !== '' && ourId.safeParse(text).success;

/** In the order in which they are listed. */
const KINDS: readonly Kind[] = [
  { needs: 'chat.read', isPlace: () => false, page: facts },
  { needs: 'chat.read', isPlace: (after) => proposalNumber(after) > 0, page: proposals },
  { needs: 'chat.read', isPlace: isId, page: runs },
  { needs: 'chat.read', isPlace: isId, page: dialogs },
  { needs: 'agent.devtools', isPlace: () => false, page: workspace },
  { needs: 'agent.devtools', isPlace: (after) => after !== '', page: files },
];

/**
 * What there is to read in the DAO of whoever asks, in one order: facts, open proposals, runs, dialogs, the workspace and its files.
 * @throws ProtocolError
 */
export async function listResources(
  reader: FileReader,
  parts: ResourcesParts,
  cursor: string | undefined,
): Promise<ListResourcesResult> {
  const start = startOf(cursor);
  return answering(async () => {
    const acting = await parts.access.resolve(reader.key, reader.actingIn());
    const look = { reader, parts, acting };
    const resources: Resource[] = [];
    let { after } = start;
    for (const [at, kind] of [...KINDS.entries()].slice(start.kind)) {
      const room = PAGE - resources.length;
      if (room <= 0) return { resources, nextCursor: cursorOf({ kind: at, after }) };
      const { items, next } = await pageOf(look, kind, after, room);
      resources.push(...items);
      if (next !== null) return { resources, nextCursor: cursorOf({ kind: at, after: next }) };
      after = '';
    }
    return { resources };
  });
}

function startOf(cursor: string | undefined): Position {
  if (cursor === undefined) return { kind: 0, after: '' };
  const position = positionIn(cursor);
  const kind = position && KINDS[position.kind];
  if (!kind || (position.after !== '' && !kind.isPlace(position.after))) throw badCursor();
  return position;
}

const badCursor = (): ProtocolError =>
  new ProtocolError(ProtocolErrorCode.InvalidParams, 'This cursor is not one that this list gave: begin without one.');

async function pageOf(look: Look, { needs, page }: Kind, after: string, room: number): Promise<Page<Resource>> {
  const { entitlements } = look.acting.rights;
  return entitlements.includes(needs) ? page(look, after, room) : { items: [], next: null };
}

async function facts({ reader, parts, acting: { daoId } }: Look): Promise<Page<Resource>> {
  return { items: [daoResource(await parts.daos.get(reader.key, daoId))], next: null };
}

async function proposals({ parts, acting: { daoId } }: Look, after: string, limit: number): Promise<Page<Resource>> {
  const { items, next } = await parts.proposals.page(daoId, { after, limit, stage: 'open' });
  return { items: items.map((one) => proposalResource(daoId, one)), next };
}

async function runs({ reader, parts, acting: { daoId } }: Look, after: string, limit: number): Promise<Page<Resource>> {
  const { items, next } = await parts.runs.list(reader.key, reader.actingIn({ daoId }), { after, limit });
  return { items: items.map((one) => runResource(daoId, one)), next };
}

async function dialogs(
  { reader, parts, acting: { daoId } }: Look,
  after: string,
  limit: number,
): Promise<Page<Resource>> {
  const page = await parts.dialogs.list(reader.key, { ...reader.actingIn({ daoId }), after, limit });
  return { items: page.dialogs.map(dialogResource), next: page.next };
}

/** The workspace itself, which leads to all that is in it. */
function workspace({ acting: { daoId } }: Look): Promise<Page<Resource>> {
  return Promise.resolve({ items: [fileResource(daoId, { path: '', type: 'folder' })], next: null });
}

/** The files at the top of the workspace. */
async function files(
  { reader, parts, acting: { daoId } }: Look,
  after: string,
  limit: number,
): Promise<Page<Resource>> {
  try {
    const { entries, cursor } = await parts.files.list(reader, daoId, { path: '', limit, cursor: after });
    const found = entries.filter(({ type }) => type === 'file');
    return { items: found.map((entry) => fileResource(daoId, entry)), next: cursor ?? null };
  } catch (error) {
    if (after !== '' && isNothing(error)) throw badCursor();
    // An installation may do without tools: the rest of the list is there all the same.
    if (isNothing(error)) return { items: [], next: null };
    throw error;
  }
}
