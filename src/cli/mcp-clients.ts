import { homedir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { processVariables } from '../../config/env.js';

/** Clients whose files are known. */
export const CLIENTS = ['claude-desktop', 'claude-code', 'cursor', 'vscode'] as const;
export type ClientName = (typeof CLIENTS)[number];

/** The server as a client is to reach it: a program that it starts, or an address. */
export type Reach =
  | { kind: 'stdio'; command: string; args: string[]; env: Record<string, string>; needsKey: boolean }
  | { kind: 'http'; url: string; headers: Record<string, string> };

/** Where files of a user lie. */
export interface Place {
  platform: NodeJS.Platform;
  home: string;
  /** Folder of a user's configuration, where variables name another than the usual one. */
  appData?: string | undefined;
  configHome?: string | undefined;
  /** Working folder. */
  folder: string;
}

export function thisPlace(): Place {
  const { APPDATA: appData, XDG_CONFIG_HOME: configHome } = processVariables();
  return { platform: process.platform, home: homedir(), appData, configHome, folder: process.cwd() };
}

/** Where programs keep what is a user's own. */
function settingsFolder({ platform, home, appData, configHome }: Place): string {
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support');
  if (platform === 'win32') return appData ?? win32.join(home, 'AppData', 'Roaming');
  return configHome ?? posix.join(home, '.config');
}

interface Input {
  id: string;
  [field: string]: unknown;
}

export interface Client {
  /** How people call it. */
  title: string;
  /** Its own file. */
  file: (place: Place) => string;
  /** Under which name of the file servers stand. */
  servers: 'mcpServers' | 'servers';
  /** Undefined: no address can be written into the file. */
  http: boolean;
  /** How the key stands in the file without being there; undefined: it has no way. */
  key: string | undefined;
  /** What the client is to ask for, where it does. */
  input?: Input;
  /** Whether entries say of which kind they are. */
  typed: boolean;
  /** What to do next. */
  next: string;
}

const KEY_INPUT = 'dagi-api-key';

/** The clients, by their names. */
export const CLIENT: Readonly<Record<ClientName, Client>> = {
  'claude-desktop': {
    title: 'Claude Desktop',
    file: (place) => joined(place, settingsFolder(place), 'Claude', 'claude_desktop_config.json'),
    servers: 'mcpServers',
    http: false,
    key: undefined,
    typed: false,
    next: 'Quit Claude Desktop and start it again: the tools are behind the button with the sliders, below the text.',
  },
  'claude-code': {
    title: 'Claude Code',
    file: ({ folder }) => join(folder, '.mcp.json'),
    servers: 'mcpServers',
    http: true,
    key: '${DAGI_API_KEY}',
    typed: true,
    next: 'Start claude in this folder and allow the server when it asks; /mcp shows it.',
  },
  cursor: {
    title: 'Cursor',
    file: (place) => joined(place, place.home, '.cursor', 'mcp.json'),
    servers: 'mcpServers',
    http: true,
    key: '${env:DAGI_API_KEY}',
    typed: false,
    next: 'In Cursor, Settings → MCP shows the server; switch it on there.',
  },
  vscode: {
    title: 'VS Code',
    file: (place) => joined(place, settingsFolder(place), 'Code', 'User', 'mcp.json'),
    servers: 'servers',
    http: true,
    key: `\${input:${KEY_INPUT}}`,
    input: { type: 'promptString', id: KEY_INPUT, description: 'Key of DAGI Stack', password: true },
    typed: true,
    next: 'In VS Code, run "MCP: List Servers" and start the server; its tools are there in agent mode.',
  },
};

const joined = ({ platform }: Place, ...parts: string[]): string =>
  (platform === 'win32' ? win32 : posix).join(...parts);

/** Whether the client has to be given the key: the bridge may find it in the home folder. */
const wantsKey = (reach: Reach): boolean => reach.kind === 'http' || reach.needsKey;

/** The server as it stands in the file of a client. */
export function entryFor({ typed, key }: Client, reach: Reach): Record<string, unknown> {
  if (reach.kind === 'http') {
    const { url, headers } = reach;
    return { ...(typed && { type: 'http' }), url, headers: { Authorization: `Bearer ${key ?? ''}`, ...headers } };
  }
  const { command, args, env } = reach;
  const keyed = wantsKey(reach) && key !== undefined ? { DAGI_API_KEY: key } : {};
  return { ...(typed && { type: 'stdio' }), command, args, env: { ...env, ...keyed } };
}

/** What the client is to ask its user for. */
export const inputFor = ({ input }: Client, reach: Reach): Input | undefined => (wantsKey(reach) ? input : undefined);

/** What the user has to see to so that the client has the key; undefined: nothing. */
export function keyRemark({ key, title, input }: Client, reach: Reach): string | undefined {
  if (!wantsKey(reach)) return undefined;
  if (input) return `${title} asks for the key when it starts the server, and keeps it.`;
  if (key !== undefined) return `${title} takes the key from its environment: start it with DAGI_API_KEY set.`;
  return `${title} has no way to keep a key out of the file: it must be there as DAGI_API_KEY in "env", which you write yourself.`;
}
