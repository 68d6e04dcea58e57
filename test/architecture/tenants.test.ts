import { globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const TENANTS = join(ROOT, 'src/adapters/store/tenants.ts');
const FOLDERS = '{src,workflows,activities,config}/**/*.ts';

/** Who may reach the data of all DAOs at once, and what for. */
const MAY_REACH_ALL: Readonly<Record<string, string>> = {
  'src/adapters/store/access.repository.ts': 'grants of the platform belong to no DAO',
  'src/adapters/store/audit-heads.repository.ts':
    'the heads of all chains are signed by one run; the installation’s own',
  'src/adapters/store/audit.repository.ts': 'the chain of the installation',
  'src/adapters/store/chats.repository.ts':
    'a chat is of no one DAO, and so is what is stopped or changed in it; of which DAOs a person is one',
  'src/adapters/store/config.repository.ts': 'the configuration belongs to no DAO',
  'src/adapters/store/crew-gates.repository.ts': 'the reconciler looks for decisions of all DAOs that no run has seen',
  'src/adapters/store/crew-views.repository.ts':
    'whoever asks with a key of all DAOs does not say of which a run is; nothing but that is read',
  'src/adapters/store/daos.repository.ts': 'creates DAOs, and lists them for the platform’s administrator',
  'src/adapters/store/deliveries.repository.ts': 'chats are of no one DAO: one shows news of several, in their order',
  'src/adapters/store/inbox.repository.ts':
    'the end of what may be of no DAO; the reconciler looks for what nobody does',
  'src/adapters/store/interactions.repository.ts':
    'interactions of Discord belong to no DAO until it is their turn, and their tokens are of use to whoever answers',
  'src/adapters/store/keys.repository.ts': 'nobody knows of which DAO a key is before it is found; the platform’s keys',
  'src/adapters/store/mcp.repository.ts': 'secrets of the installation belong to no DAO',
  'src/adapters/store/news.repository.ts': 'chats are of no one DAO; the sweep looks for news of all DAOs',
  'src/adapters/store/old-dialogs.repository.ts': 'the sweep of what is old in chats, which may be of no DAO',
  'src/adapters/store/proposals.repository.ts': 'the reconciler looks for proposals of all DAOs that are overdue',
  'src/adapters/store/provider-figures.repository.ts': 'how a provider does is counted over all who ask it',
  'src/adapters/store/refusals.repository.ts': 'the sweep of old refusals, and what-if over all of them',
  'src/adapters/store/requests.repository.ts': 'the reconciler, what-if, and whoever asks with a key of all DAOs',
  'src/adapters/store/shown-answers.repository.ts':
    'how many messages of a person wait in a chat, which are of no DAO yet; nothing but that is read',
  'src/adapters/store/strangers.repository.ts':
    'chats that are of no DAO; an invitation says which it is of; whether there is any DAO at all',
  'src/adapters/store/stray-messages.repository.ts':
    'the sweep looks for messages of all DAOs that were created again; their numbers are a chat’s, of no one DAO',
  'src/adapters/store/usage.repository.ts': 'usage of all DAOs, and budgets of the installation',
  'src/runtime.ts': 'the state that processes share belongs to no DAO',
};

/** Who may open connections of their own, past the handles, and what for. */
const MAY_CONNECT: Readonly<Record<string, string>> = {
  'src/adapters/store/database.ts': 'makes the handles',
  'src/adapters/store/process-session.ts': 'listens, and holds a lock for as long as its process lives; reads no table',
  'src/adapters/limits/request-counter.ts': 'counts calls in a table of its library’s, which no DAO’s data is in',
};

/** Modules that open a database. */
const DRIVERS = ['pg', '@electric-sql/pglite'];

const planted = (name: string, body: string): [path: string, text: string] => [
  join(ROOT, `src/adapters/store/planted-${name}.ts`),
  `import type { Database } from './database.js';\nimport type { Tenants } from './tenants.js';\n${body}\n`,
];

/** Ways to reach everything, and what only looks like it. */
const PLANTED = new Map([
  planted('plainly', 'export const reach = (tenants: Tenants) => tenants.all;'),
  planted('database', 'export const reach = (database: Database) => database.all.selectFrom("daos");'),
  planted('taken-apart', 'export const reach = ({ all }: Database) => all;'),
  planted('renamed', 'export const reach = (t: Tenants) => { const { all: db } = t; return db; };'),
  planted('in-brackets', 'export const reach = (tenants: Tenants) => tenants["all"];'),
  planted('vital', 'export const reach = ({ vital }: Tenants) => vital;'),
  planted('scopeless', 'export const reach = ({ scopeless }: Tenants) => scopeless;'),
  planted('picked', 'export const reach = (one: Pick<Database, "all">) => one.all;'),
  planted(
    'innocent',
    'export const reach = (t: Tenants, list: { all: string[] }) => [t.of("d"), list.all, Promise.all];',
  ),
]);

/** A program over our sources and what is planted beside them. Only what a question needs is checked. */
function programOf(files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => PLANTED.has(path) || fileExists(path);
  host.readFile = (path) => PLANTED.get(path) ?? readFile(path);
  return ts.createProgram([...files, ...PLANTED.keys()], options, host);
}

/** Handles that no policy binds to one DAO. */
const UNBOUND = ['all', 'vital', 'scopeless'];

/** The object of which a property is taken here, and the property's name, if one is. */
function taken(node: ts.Node): { from: ts.Node; name: string } | undefined {
  if (ts.isPropertyAccessExpression(node)) return { from: node.expression, name: node.name.text };
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    return { from: node.expression, name: node.argumentExpression.text };
  }
  if (!ts.isBindingElement(node) || !ts.isObjectBindingPattern(node.parent)) return undefined;
  const name = node.propertyName ?? node.name;
  return ts.isIdentifier(name) ? { from: node.parent, name: name.text } : undefined;
}

/** Whether a file reaches the data of all DAOs, by the types of what it touches, whatever it calls it. */
function reachesAll(file: ts.SourceFile, checker: ts.TypeChecker): boolean {
  const visit = (node: ts.Node): boolean => {
    const { from, name } = taken(node) ?? { name: '' };
    const declared =
      from && UNBOUND.includes(name) ? checker.getTypeAtLocation(from).getProperty(name)?.declarations : undefined;
    return (
      declared?.some((one) => one.getSourceFile().fileName === TENANTS) === true ||
      ts.forEachChild(node, visit) === true
    );
  };
  return visit(file);
}

const importsDriver = (file: ts.SourceFile): boolean =>
  file.statements.some(
    (one) =>
      ts.isImportDeclaration(one) &&
      one.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword &&
      DRIVERS.includes((one.moduleSpecifier as ts.StringLiteral).text),
  );

describe('whose data code reaches', () => {
  const files = globSync(FOLDERS, { cwd: ROOT })
    .filter((path) => !path.endsWith('.spec.ts'))
    .map((path) => join(ROOT, path));
  let program: ts.Program;
  let reaching: string[];

  const sources = (paths: Iterable<string>): ts.SourceFile[] => [...paths].map((path) => program.getSourceFile(path)!);
  const namesOf = (list: ts.SourceFile[]): string[] => list.map(({ fileName }) => relative(ROOT, fileName)).toSorted();

  beforeAll(() => {
    program = programOf(files);
    const checker = program.getTypeChecker();
    reaching = namesOf(sources([...files, ...PLANTED.keys()]).filter((file) => reachesAll(file, checker)));
  });

  it('should be that of all DAOs in the files that are listed, for a reason, and in no other', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(reaching.filter((path) => !path.includes('/planted-'))).toEqual(Object.keys(MAY_REACH_ALL).toSorted());
  });

  it('should be found out however it is reached', () => {
    const found = reaching.filter((path) => path.includes('/planted-'));
    const expected = [...PLANTED.keys()].map((path) => relative(ROOT, path));
    expect(found).toEqual(expected.filter((path) => !path.endsWith('planted-innocent.ts')).toSorted());
  });

  it('should be reached over the handles, but for the connections that are listed', () => {
    expect(namesOf(sources(files).filter(importsDriver))).toEqual(Object.keys(MAY_CONNECT).toSorted());
  });
});
