import { randomUUID } from 'node:crypto';
import { mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Env } from '../../config/env.js';
import { packagePath } from '../../config/paths.js';
import { DAO_HEADER, USER_HEADER } from '../mcp/headers.js';
import { CliError } from './failure.js';
import { withServer } from './mcp-file.js';
import {
  CLIENT,
  entryFor,
  inputFor,
  keyRemark,
  thisPlace,
  type ClientName,
  type Place,
  type Reach,
} from './mcp-clients.js';
import { readRunFile } from './run-file.js';

export interface InstallOptions {
  http?: boolean;
  url?: string;
  dao?: string;
  as?: string;
  home?: string;
  name: string;
  file?: string;
  print?: boolean;
}

type InstallEnv = Pick<Env, 'home' | 'DAGI_MCP_URL' | 'MCP_PORT'>;

/**
 * `dagi mcp install`: writes the server into a client's file, and tells what was done and what is to do.
 * @throws CliError; then nothing is written
 */
export async function install(
  name: ClientName,
  options: InstallOptions,
  env: InstallEnv,
  place: Place = thisPlace(),
): Promise<string> {
  const client = CLIENT[name];
  if (options.http && !client.http) {
    const sentence = `The file of ${client.title} takes no addresses: leave out --http, or add the address in its settings, under Connectors.`;
    throw new CliError('CONFIG_INVALID', sentence);
  }
  const reach = options.http ? await byAddress(options, env) : await byProgram(options, env);
  const file = resolve(options.file ?? client.file(place));
  const server = { servers: client.servers, name: options.name, entry: entryFor(client, reach) };
  const change = { ...server, input: inputFor(client, reach) };
  if (options.print) return withServer('', change, file);
  const done = await write(file, (text) => withServer(text, change, file));
  const remark = keyRemark(client, reach);
  return [
    ...told(done, file, client.title, options.name),
    ...(remark === undefined ? [] : [remark]),
    client.next,
    '',
  ].join('\n');
}

/** The address of the MCP server, as clients of this machine see it. */
async function byAddress({ url, dao, as: user }: InstallOptions, env: InstallEnv): Promise<Reach> {
  const running = await readRunFile(env.home);
  const found = url ?? env.DAGI_MCP_URL ?? running?.mcp_url ?? `http://127.0.0.1:${env.MCP_PORT}/mcp`;
  const headers = {
    ...(dao !== undefined && { [DAO_HEADER]: encodeURIComponent(dao) }),
    ...(user !== undefined && { [USER_HEADER]: encodeURIComponent(user) }),
  };
  return { kind: 'http', url: addressOf(found), headers };
}

/** The bridge of this installation, on the home folder that is meant here. */
async function byProgram({ url, dao, as: user }: InstallOptions, env: InstallEnv): Promise<Reach> {
  const running = await readRunFile(env.home);
  const found = url ?? env.DAGI_MCP_URL;
  const elsewhere = found !== undefined && found !== running?.mcp_url ? addressOf(found) : undefined;
  const args = [
    ...[packagePath('bin', 'dagi.mjs'), 'mcp', '--stdio'],
    ...(elsewhere === undefined ? [] : ['--url', elsewhere]),
    ...(dao === undefined ? [] : ['--dao', dao]),
    ...(user === undefined ? [] : ['--as', user]),
  ];
  const needsKey = elsewhere !== undefined;
  return { kind: 'stdio', command: process.execPath, args, env: { DAGI_HOME: env.home }, needsKey };
}

function addressOf(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) {
    const { username, password } = new URL(url);
    if (username === '' && password === '') return url;
    throw new CliError('CONFIG_INVALID', 'The address must hold no name and password: they would stand in the file.');
  }
  throw new CliError(
    'CONFIG_INVALID',
    `--url must be an address that begins with http:// or https://, such as http://127.0.0.1:9400/mcp.`,
  );
}

type Done = 'made' | 'changed' | 'same';

/** Changes a file, beside a copy of the former one; whoever reads it sees the one or the other. */
async function write(path: string, change: (text: string) => string): Promise<Done> {
  // Of a link it is the file that is meant.
  const file = await realpath(path).catch(() => path);
  const before = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError('FILE_UNREADABLE', `${path} cannot be read: ${String(error)}`, {}, { cause: error });
  });
  const after = change(before ?? '');
  if (after === before) return 'same';
  try {
    await mkdir(dirname(file), { recursive: true });
    const mode = before === undefined ? 0o600 : (await stat(file)).mode;
    if (before !== undefined) await replace(`${file}.bak`, before, mode);
    await replace(file, after, mode);
  } catch (error) {
    throw new CliError('FILE_UNWRITABLE', `${path} cannot be written: ${String(error)}`, {}, { cause: error });
  }
  return before === undefined ? 'made' : 'changed';
}

/** Puts a new file in the place of what is there, should that be a link to another file. */
async function replace(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode, flag: 'wx' });
  await rename(draft, file);
}

function told(done: Done, file: string, title: string, name: string): string[] {
  switch (done) {
    case 'same':
      return [`${name} stands in ${file} already, just so: nothing is written.`];
    case 'made':
      return [`${name} is written for ${title}, into a new file: ${file}`];
    case 'changed':
      return [`${name} is written for ${title} into ${file}`, `The former file is ${file}.bak`];
  }
}
