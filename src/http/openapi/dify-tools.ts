import type { OpenAPIObject } from '@nestjs/swagger';
import { stringify } from 'yaml';

/** What an assistant needs: ask, look again, take part in what a DAO decides, work with its files. Ids of operations. */
export const DIFY_TOOLS = [
  'route',
  'getRequest',
  'cancelRequest',
  'queryMicrodao',
  'resolveRights',
  'listProposals',
  'getProposal',
  'createProposal',
  'openProposal',
  'vote',
  'tally',
  'fsRead',
  'fsWrite',
  'fsList',
  'fsSearch',
  'fsPatch',
  'runTests',
] as const;

/** What whoever imports the file puts in place of the server's address. */
export const SERVER_PLACEHOLDER = 'http://DAGI_HOST:9102';

/** Words of a request that a model has no use for: it decides neither who it is nor how the list is cut. */
const LEFT_OUT: readonly string[] = [
  ...['agent', 'source', 'open', 'actions', 'ballot_id', 'after', 'limit', 'cursor'],
  // Of tools: a choice that Dify would send as a text, hashes by path, and what the defaults serve as well.
  ...['regex', 'case_sensitive', 'expected_hashes', 'from_line', 'lines', 'timeout_s'],
];

type Item = OpenAPIObject['paths'][string];
type Operation = NonNullable<Item['get']>;

const HEAD = `# Tools of DAGI Stack for Dify: Tools > Custom > Create Custom Tool, and paste this file there.
# Written by scripts/write-dify-tools.mjs from the description of the API; do not edit it by hand.
# Fill in: the address under "servers". As authorization choose API Key, Header, Bearer, and a key of "dagi keys create".
`;

/** A description for Dify's custom tools, as YAML: a few operations, without headers and with few parameters. */
export function difyTools(document: OpenAPIObject): string {
  const paths = Object.entries(document.paths).flatMap(([path, item]): [string, object][] => {
    const kept = Object.entries(item as Record<string, Operation>).filter(([, { operationId }]) =>
      (DIFY_TOOLS as readonly unknown[]).includes(operationId),
    );
    return kept.length === 0 ? [] : [[path, Object.fromEntries(kept.map(([method, one]) => [method, asTool(one)]))]];
  });
  const { openapi, info, security, components } = document;
  const about = {
    openapi,
    info,
    servers: [{ url: SERVER_PLACEHOLDER }],
    security,
    paths: Object.fromEntries(paths),
    components: { securitySchemes: components?.securitySchemes },
  };
  // Dify reads it as YAML 1.1, to which a plain yes is a boolean.
  return HEAD + stringify(about, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' });
}

/** Dify reads neither answers nor examples; a model sees names, descriptions and parameters. */
function asTool({ operationId, summary, description, parameters = [], requestBody }: Operation): object {
  const plain = parameters.filter((one) => !('$ref' in one) && one.in !== 'header' && !LEFT_OUT.includes(one.name));
  const body = requestBody && 'content' in requestBody ? requestBody.content['application/json']?.schema : undefined;
  const responses = { '200': { description: 'The answer, as JSON.' } };
  const told = { operationId, summary, description, parameters: plain };
  if (!body || '$ref' in body) return { ...told, responses };
  const properties = Object.entries(body.properties ?? {}).filter(([name]) => !LEFT_OUT.includes(name));
  const { type, required } = body;
  const schema = { type, required, properties: Object.fromEntries(properties) };
  return { ...told, requestBody: { required: true, content: { 'application/json': { schema } } }, responses };
}
