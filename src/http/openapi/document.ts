import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ANSWERS } from './answers.js';
import { jsonSchema } from '../../schemas/json-schema.js';
import { polished } from './polish.js';

/** What the description says of this installation. */
export interface Described {
  version: string;
  /** Where clients reach it; absent: where it listens. */
  publicUrl?: string | undefined;
}

const ABOUT = [
  'The durable AI back end for small DAOs: ask models under the rules and rights of a DAO, read its roles, members and',
  'proposals, and vote. Every call needs an API key, as "Authorization: Bearer KEY". A key that is bound to a DAO opens',
  'that one, and then dao_id need not be said. Errors have one form and a code.',
].join(' ');

/** In this order the description tells of them. */
const TAGS: readonly [string, string][] = [
  ['requests', 'Ask, follow and stop.'],
  ['openai', 'What clients of OpenAI speak.'],
  ['access', 'Roles, and who may do what.'],
  ['proposals', 'Proposals, votes, delegations.'],
  ['daos', 'DAOs.'],
  ['members', 'Members and invitations.'],
  ['keys', 'API keys.'],
  ['audit', 'The record of who did what.'],
  ['operations', 'For operators.'],
  ['configuration', 'For the administrator.'],
];

/** Serves the description: `/docs` for people, `/openapi.json` for programs. It is made when it is first asked for. */
export function describeApi(app: NestFastifyApplication, described: Described): void {
  SwaggerModule.setup('docs', app, () => documentOf(app, described), {
    raw: ['json'],
    jsonDocumentUrl: 'openapi.json',
  });
}

/** The description in the dialect of OpenAPI 3.0: the routes that an API key opens, and nothing else. */
export function documentOf(app: NestFastifyApplication, { version, publicUrl }: Described): OpenAPIObject {
  const outline = new DocumentBuilder()
    .setTitle('DAGI Stack')
    .setDescription(ABOUT)
    .setVersion(version)
    .setOpenAPIVersion('3.0.3')
    .addServer(withoutSlash(publicUrl ?? listeningAt(app)))
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key: dagi keys create' }, 'bearer')
    .addSecurityRequirements('bearer');
  for (const [name, description] of TAGS) outline.addTag(name, description);
  const document = polished(
    SwaggerModule.createDocument(app, outline.build()),
    TAGS.map(([name]) => name),
  );
  const schemas = Object.entries(ANSWERS).map(([name, schema]) => [name, jsonSchema(schema)] as const);
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(schemas) } };
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/** Where nobody listens the address is the usual one. It is never what a client says of us. */
function listeningAt(app: NestFastifyApplication): string {
  const address = app.getHttpServer().address();
  if (address === null || typeof address === 'string') return 'http://127.0.0.1:9102';
  const { address: host, family, port } = address;
  // Who listens everywhere is found here, too; nobody is found at the address that means everywhere.
  const reachable = host === '0.0.0.0' || host === '::' || host === '::1' ? '127.0.0.1' : host;
  return `http://${family === 'IPv6' && reachable === host ? `[${host}]` : reachable}:${port}`;
}
