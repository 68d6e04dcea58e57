import type { Resource, ResourceTemplateType } from '@modelcontextprotocol/server';
import type { Dao } from '../../contracts/dao.js';
import type { DialogSummary } from '../../contracts/dialog-record.js';
import type { ListedEntry } from '../../contracts/devtools.js';
import type { RunSummary, SeenRun } from '../../contracts/crew-view.js';
import type { ProposalSummary } from '../../contracts/proposal.js';
import { TEMPLATES, uriOf } from './address.js';
import { JSON_TYPE, mediaTypeOf } from './media-types.js';

export const daoResource = ({ id: daoId, name }: Pick<Dao, 'id' | 'name'>): Resource => ({
  uri: uriOf({ daoId, kind: 'dao' }),
  ...{ name: daoId, title: `Facts of ${name}`, mimeType: JSON_TYPE },
  description: 'What the DAO says of itself, and how it decides.',
  annotations: { priority: 1 },
});

export const proposalResource = (
  daoId: string,
  { n, title, stage, created_at: created, opened_at: opened, closes_at: closes }: ProposalSummary,
): Resource => ({
  uri: uriOf({ daoId, kind: 'proposal', n }),
  ...{ name: `proposal-${n}`, title: `Proposal ${n}: ${title}`, mimeType: JSON_TYPE },
  description: `A proposal, ${stage}${closes === null ? '' : `; votes count until ${closes.toISOString()}`}.`,
  annotations: { lastModified: (opened ?? created).toISOString() },
});

export const runResource = (
  daoId: string,
  { run_id: id, crew, status, started_at: started, ended_at: ended, open_gates: asks }: RunSummary,
): Resource => ({
  uri: uriOf({ daoId, kind: 'run', id }),
  ...{ name: `run-${id}`, title: `Run of ${crew}, ${status}`, mimeType: JSON_TYPE },
  description: `Begun ${started.toISOString()}${asks > 0 ? '; it waits for people' : ''}.`,
  ...(ended && { annotations: { lastModified: ended.toISOString() } }),
});

/** The same of a run that is looked at. */
export const runLink = ({
  run_id: id,
  dao_id: daoId,
  crew,
}: Pick<SeenRun, 'run_id' | 'dao_id' | 'crew'>): Resource => ({
  uri: uriOf({ daoId, kind: 'run', id }),
  ...{ name: `run-${id}`, title: `Run of ${crew}`, mimeType: JSON_TYPE },
});

export const dialogResource = ({
  dialog_id: id,
  dao_id: daoId,
  user_id: user,
  timestamp,
  source,
}: DialogSummary): Resource => ({
  uri: uriOf({ daoId, kind: 'dialog', id }),
  ...{ name: `dialog-${id}`, title: `Dialog of ${user ?? 'a group'}`, mimeType: JSON_TYPE },
  description: `Begun ${timestamp}${source === null ? '' : ` over ${source}`}.`,
});

export function fileResource(daoId: string, { path, type, size, modified_at: changed }: ListedEntry): Resource {
  const uri = uriOf({ daoId, kind: 'file', path });
  if (type === 'folder') {
    const name = path === '' ? 'workspace' : path;
    return { uri, name, title: 'Workspace', description: 'The files and folders of the DAO.', mimeType: JSON_TYPE };
  }
  const mimeType = mediaTypeOf(path);
  return {
    ...{ uri, name: path, title: path, description: 'A file of the workspace.' },
    ...(mimeType !== undefined && { mimeType }),
    ...(size !== undefined && { size }),
    ...(changed !== undefined && { annotations: { lastModified: changed } }),
  };
}

/** Addresses that clients make themselves of what they know. */
export const RESOURCE_TEMPLATES: ResourceTemplateType[] = [
  {
    ...{ uriTemplate: TEMPLATES.dao, name: 'dao', title: 'Facts of a DAO', mimeType: JSON_TYPE },
    description: 'What a DAO says of itself, and how it decides.',
  },
  {
    ...{ uriTemplate: TEMPLATES.proposal, name: 'proposal', title: 'A proposal', mimeType: JSON_TYPE },
    description: 'A proposal by its number: its text, what it does, its rules, and how the vote stands.',
  },
  {
    ...{ uriTemplate: TEMPLATES.dialog, name: 'dialog', title: 'A dialog', mimeType: JSON_TYPE },
    description:
      'What was asked in a dialog with the AI of the DAO, and what came of it: one’s own, or for admins any.',
  },
  {
    ...{ uriTemplate: TEMPLATES.run, name: 'run', title: 'A run of a crew', mimeType: JSON_TYPE },
    description: 'How a run of a crew stands: its tasks, what it asks of people, and what it has come to.',
  },
  {
    ...{ uriTemplate: TEMPLATES.file, name: 'file', title: 'A file or folder of the workspace' },
    description: 'A file by its path in the workspace of the DAO; a folder gives its entries.',
  },
];
