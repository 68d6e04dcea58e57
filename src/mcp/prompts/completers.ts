import type { Asking, Completer } from './prompt.js';

/** Most of a kind that are looked through. */
const MOST = 100;

const begins =
  (written: string) =>
  (one: string): boolean =>
    one.toLowerCase().startsWith(written.toLowerCase());

const named = ({ reader, acting: { daoId } }: Asking): ReturnType<Asking['reader']['actingIn']> =>
  reader.actingIn({ daoId });

/** Numbers of the proposals that are open. */
export const proposalNumbers: Completer = async (asking, written) => {
  const filter = { limit: MOST, stage: 'open' };
  const { items } = await asking.parts.proposals.list(asking.reader.key, named(asking), filter);
  return items.map(({ n }) => String(n)).filter(begins(written));
};

/** Crews that whoever asks may start. */
export const crewIds: Completer = async ({ parts, acting }, written) =>
  (await parts.crews.open(acting)).map(({ definition }) => definition.id).filter(begins(written));

export const runIds: Completer = async (asking, written) => {
  const { items } = await asking.parts.runs.list(asking.reader.key, named(asking), { limit: MOST });
  return items.map(({ run_id: id }) => id).filter(begins(written));
};

export const dialogIds: Completer = async (asking, written) => {
  const page = await asking.parts.dialogs.list(asking.reader.key, { ...named(asking), limit: MOST });
  return page.dialogs.map(({ dialog_id: id }) => id).filter(begins(written));
};

export const daoIds: Completer = ({ acting: { daoId } }, written) =>
  Promise.resolve([daoId].filter((one) => begins(written)(one)));

/** Files and folders of the workspace, folder by folder; nothing to whoever may not use tools there. */
export const paths: Completer = async ({ parts, reader, acting: { daoId, rights } }, written) => {
  if (!rights.entitlements.includes('agent.devtools')) return [];
  const folder = written.slice(0, written.lastIndexOf('/') + 1);
  const { entries } = await parts.files.list(reader, daoId, { path: folder });
  return entries
    .filter(({ type }) => type === 'file' || type === 'folder')
    .map(({ path, type }) => (type === 'folder' ? `${path}/` : path))
    .filter(begins(written));
};
