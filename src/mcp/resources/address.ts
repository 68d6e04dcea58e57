import { id, ourId } from '../../schemas/common.js';
import { proposalNumber } from '../../services/proposals.service.js';

/** Something of a DAO that can be read. */
export type Address = { daoId: string } & (
  | { kind: 'dao' }
  | { kind: 'proposal'; n: number }
  | { kind: 'dialog' | 'run'; id: string }
  /** Relative to the workspace; empty: the workspace itself. One that ends with `/` is a folder. */
  | { kind: 'file'; path: string }
);

const SCHEME = 'dagi://';
/** Longest address: a path of the longest kind, each of its letters percent-encoded. */
const LONGEST = 32_768;

/** Kinds of things by their names in addresses. */
const NAMES = { proposal: 'proposals', dialog: 'dialogs', run: 'runs', file: 'workspace' } as const;

/** Addresses by a pattern, as RFC 6570 has it: for clients that fill in what they know. */
export const TEMPLATES = {
  dao: `${SCHEME}{dao}`,
  proposal: `${SCHEME}{dao}/${NAMES.proposal}/{n}`,
  dialog: `${SCHEME}{dao}/${NAMES.dialog}/{id}`,
  run: `${SCHEME}{dao}/${NAMES.run}/{run_id}`,
  file: `${SCHEME}{dao}/${NAMES.file}/{+path}`,
} as const satisfies Record<Address['kind'], string>;

/** What an address names. Undefined: nothing that there could be. */
export function parseAddress(uri: string): Address | undefined {
  if (uri.length > LONGEST || !uri.startsWith(SCHEME)) return undefined;
  const [dao = '', kind, ...rest] = uri.slice(SCHEME.length).split('/').map(decoded);
  const daoId = id.safeParse(dao).data;
  if (daoId === undefined || rest.includes(undefined)) return undefined;
  const names = rest.map((name) => name ?? '');
  if (!uri.includes('/', SCHEME.length)) return { daoId, kind: 'dao' };
  return kind === NAMES.file ? fileAt(daoId, names) : thingAt(daoId, kind, names);
}

function fileAt(daoId: string, names: readonly string[]): Address | undefined {
  // A name with a `/` in it would be another path than the one that it looks like.
  if (names.some((name) => name.includes('/'))) return undefined;
  return { daoId, kind: 'file', path: names.join('/') };
}

function thingAt(
  daoId: string,
  kind: string | undefined,
  [name = '', ...more]: readonly string[],
): Address | undefined {
  if (name === '' || more.length > 0) return undefined;
  if (kind === NAMES.proposal) {
    const n = proposalNumber(name);
    return n === 0 ? undefined : { daoId, kind: 'proposal', n };
  }
  const found = ourId.safeParse(name).data;
  if (found === undefined) return undefined;
  if (kind === NAMES.dialog) return { daoId, kind: 'dialog', id: found };
  return kind === NAMES.run ? { daoId, kind: 'run', id: found } : undefined;
}

/** The address of something. */
export function uriOf(address: Address): string {
  const dao = SCHEME + encodeURIComponent(address.daoId);
  switch (address.kind) {
    case 'dao':
      return dao;
    case 'proposal':
      return `${dao}/${NAMES.proposal}/${address.n}`;
    case 'dialog':
    case 'run':
      return `${dao}/${NAMES[address.kind]}/${encodeURIComponent(address.id)}`;
    case 'file':
      return `${dao}/${NAMES.file}/${address.path.toWellFormed().split('/').map(encodeURIComponent).join('/')}`;
  }
}

/** Undefined: no text is encoded like that. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
