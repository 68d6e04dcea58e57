import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { ENTITLEMENTS } from '../../src/contracts/access.js';
import { DIFY_TOOLS, difyTools, SERVER_PLACEHOLDER } from '../../src/http/openapi/dify-tools.js';
import { aDao } from '../factories/access.js';
import {
  ADMIN,
  describedApp,
  type DescribedApp,
  type Document,
  type Operation,
  type Schema,
} from '../support/described-app.js';

const DAO = aDao().id;
const DIFY = join(import.meta.dirname, '../../docs/dify');

/** Every value in it, with where it stands. */
function* everything(value: unknown, path = ''): Generator<[path: string, value: unknown]> {
  yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) yield* everything(part, `${path}/${name}`);
}

/** What the validator finds wrong; undefined: nothing. It changes what it looks at. */
const faultsOf = async (told: Document): Promise<unknown> => {
  const { valid, errors } = await new Validator().validate(structuredClone({ ...told }));
  return valid ? undefined : errors;
};

const jsonBody = (operation: Operation): Schema | undefined =>
  operation.requestBody?.content['application/json']?.schema;

describe('the description of the API', () => {
  let described: DescribedApp;
  let app: NestFastifyApplication;
  let document: Document;

  beforeAll(async () => {
    described = await describedApp();
    ({ app } = described);
    document = (await app.inject({ url: '/openapi.json', headers: { host: 'evil.example' } })).json();
  });

  afterAll(() => described.close());

  const operations = (): [string, Operation][] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    );
  const byId = (id: string): Operation => {
    const [, found] = operations().find(([, { operationId }]) => operationId === id) ?? [];
    if (!found) throw new Error(`no operation ${id}`);
    return found;
  };

  it('should be valid OpenAPI 3.0 to a validator that others made', async () => {
    expect(await faultsOf(document)).toBeUndefined();
  });

  it('should list the routes that declare that a key opens them, and no other', () => {
    const opened = new Set<unknown>(['owner', 'by-mode', 'key', ...ENTITLEMENTS]);
    const expected = described.routes
      .filter(
        ({ method, config }) => method !== 'HEAD' && opened.has((config as { access?: unknown } | undefined)?.access),
      )
      .flatMap(({ method, url }) => [method].flat().map((one) => `${one} ${url.replace(/:(\w+)/g, '{$1}')}`));
    expect(expected.length).toBeGreaterThan(50);
    expect(
      operations()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual([...new Set(expected)].toSorted());
  });

  it('Dify 17: should have one absolute server, whatever a client calls us', () => {
    expect(document.openapi).toMatch(/^3\.0\.\d$/);
    expect(document.info.title).toBe('DAGI Stack');
    expect(document.servers).toEqual([{ url: 'http://127.0.0.1:9102' }]);
  });

  it('should name the public address where there is one', async () => {
    const other = await described.another('https://dagi.example/');
    const told = (await other.inject({ url: '/openapi.json' })).json<Document>();
    await other.close();
    expect(told.servers).toEqual([{ url: 'https://dagi.example' }]);
  });

  it('should ask for a bearer key everywhere', () => {
    expect(document.security).toEqual([{ bearer: [] }]);
    expect(document.components.securitySchemes.bearer?.scheme).toBe('bearer');
  });

  it('Dify 17: should have operationIds that can be names of tools, each once', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(ids.filter((id) => !/^[a-zA-Z0-9_-]{1,64}$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('Dify 17: should have parameters of operations only, plain, described and each named once', () => {
    expect(Object.values(document.paths).filter((item) => 'parameters' in item)).toEqual([]);
    for (const [name, operation] of operations()) {
      const parameters = operation.parameters ?? [];
      const faulty = parameters.filter(
        (one) => '$ref' in one || !one.description || typeof one.schema?.type !== 'string',
      );
      expect([name, faulty]).toEqual([name, []]);
      const names = [...parameters.map((one) => one.name), ...Object.keys(jsonBody(operation)?.properties ?? {})];
      expect([name, names]).toEqual([name, [...new Set(names)]]);
    }
  });

  it('Dify 17: should have bodies of JSON alone, flat, with words for each property', () => {
    for (const [name, operation] of operations().filter(([, { requestBody }]) => requestBody)) {
      expect([name, Object.keys(operation.requestBody?.content ?? {})]).toEqual([name, ['application/json']]);
      const schema = jsonBody(operation) ?? {};
      expect([name, ['$ref', 'allOf', 'anyOf', 'oneOf'].filter((keyword) => keyword in schema)]).toEqual([name, []]);
      const properties = Object.entries(schema.properties ?? {});
      expect([name, properties.length]).not.toEqual([name, 0]);
      expect([name, properties.filter(([, one]) => !one.description || '$ref' in one)]).toEqual([name, []]);
    }
  });

  it('Dify 17: should have defaults that Dify can hold, and that are harmless to send', () => {
    const defaults = operations().flatMap(([, operation]) =>
      Object.entries(jsonBody(operation)?.properties ?? {}).flatMap(([name, one]) =>
        'default' in one ? [[operation.operationId, name, one.default]] : [],
      ),
    );
    expect(defaults).toEqual([
      ['route', 'mode', 'chat'],
      ['queryMicrodao', 'limit', 50],
      ['createProposal', 'open', false],
      ['createInvitation', 'uses', 1],
      ['createInvitation', 'expires_in_hours', 168],
      ['rotateKey', 'overlap_seconds', 86_400],
      ['whatIf', 'limit', 10_000],
      ['whatIf', 'trials', 0],
    ]);
  });

  it('Dify 17: should name one type, never a list of them', () => {
    const lists = [...everything(document)].filter(([path, value]) => path.endsWith('/type') && Array.isArray(value));
    expect(lists).toEqual([]);
  });

  it('should describe what is answered, and refuse in one form', () => {
    for (const [name, { description, responses }] of operations()) {
      expect([name, description?.length ?? 0]).not.toEqual([name, 0]);
      const statuses = Object.keys(responses);
      expect([name, statuses.some((status) => status.startsWith('2'))]).toEqual([name, true]);
      expect([name, statuses]).toEqual([name, expect.arrayContaining(['400', '401', '403', '500', '503'])]);
      const silent = statuses.filter((status) => !Object.values(responses[status]?.content ?? {})[0]?.schema);
      expect([name, silent]).toEqual([name, []]);
      if (name.includes(' /v1/')) continue;
      const refusals = statuses.filter((status) => Number(status) >= 400).map((status) => responses[status]?.content);
      const error = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
      expect([name, refusals.filter((one) => JSON.stringify(one) !== JSON.stringify(error))]).toEqual([name, []]);
    }
  });

  it('should answer with objects and never with bare lists', () => {
    const named = Object.entries(document.components.schemas).filter(([name]) => name !== 'Events');
    expect(named.filter(([, { type }]) => type !== 'object')).toEqual([]);
  });

  it('should have examples of /route that it takes', () => {
    const { examples = {}, schema = {} } = byId('route').requestBody?.content['application/json'] ?? {};
    expect(Object.keys(examples)).toEqual(['chat', 'dialog', 'devtools']);
    const check = validator(schema);
    expect(Object.values(examples).filter(({ value }) => !check(value))).toEqual([]);
    expect(schema.properties?.metadata?.type).toBe('object');
  });

  it('should be the same however often it is made', async () => {
    const other = await described.another();
    const again = (await other.inject({ url: '/openapi.json' })).body;
    await other.close();
    expect(again).toBe((await app.inject({ url: '/openapi.json' })).body);
  });

  const validator = (schema: object) => {
    const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true, validateFormats: true }));
    return ajv.compile({ ...schema, components: document.components });
  };

  const answersOf = (id: string, status: number): object =>
    byId(id).responses[String(status)]?.content?.['application/json']?.schema ?? {};

  it.each([
    ['createDao', 'POST', '/daos', { id: 'described', name: 'Described' }],
    ['listDaos', 'GET', '/daos', undefined],
    ['getDao', 'GET', `/daos/${DAO}`, undefined],
    ['addMember', 'POST', `/daos/${DAO}/members`, { user_id: 'tg:99', roles: ['admin'] }],
    ['listMembers', 'GET', `/daos/${DAO}/members`, undefined],
    ['createInvitation', 'POST', `/daos/${DAO}/invitations`, { roles: ['member'] }],
    ['listInvitations', 'GET', `/daos/${DAO}/invitations`, undefined],
    ['createKey', 'POST', '/keys', { name: 'described', dao_id: DAO }],
    ['listKeys', 'GET', `/keys?dao_id=${DAO}`, undefined],
    ['listRoles', 'GET', `/roles?dao_id=${DAO}`, undefined],
    ['resolveRights', 'GET', `/rbac/resolve?dao_id=${DAO}&user_id=tg:99`, undefined],
    ['createProposal', 'POST', '/proposals', { title: 'Described', text: 'So be it.', dao_id: DAO, user_id: 'tg:99' }],
    ['listProposals', 'GET', `/proposals?dao_id=${DAO}`, undefined],
    ['getProposal', 'GET', `/proposals/1?dao_id=${DAO}`, undefined],
    ['tally', 'GET', `/proposals/1/tally?dao_id=${DAO}`, undefined],
    ['listDelegations', 'GET', `/delegations?dao_id=${DAO}&user_id=tg:99`, undefined],
    ['queryMicrodao', 'POST', '/microdao/query', { query_type: 'members', dao_id: DAO }],
    ['queryMicrodao', 'POST', '/microdao/query', { query_type: 'proposals', dao_id: DAO }],
    ['readAudit', 'GET', `/audit?dao_id=${DAO}`, undefined],
    ['listAuditHeads', 'GET', `/audit/heads?dao_id=${DAO}`, undefined],
    ['auditKey', 'GET', '/audit/key', undefined],
    ['listProviders', 'GET', `/providers?dao_id=${DAO}`, undefined],
    ['describeRouting', 'GET', `/routing?dao_id=${DAO}`, undefined],
    ['explainRouting', 'GET', `/routing/explain?dao_id=${DAO}&prompt=Hello`, undefined],
    ['usage', 'GET', `/usage?dao_id=${DAO}`, undefined],
    ['getConfig', 'GET', '/config', undefined],
  ])('should be true of %s: %s %s', async (id, method, url, payload) => {
    const headers = { authorization: `Bearer ${ADMIN}` };
    const reply = await app.inject({ method: method as 'GET', url, headers, ...(payload && { payload }) });
    expect([reply.statusCode, reply.body]).toEqual([expect.any(Number), expect.stringMatching(/^\{"ok":true/)]);
    const check = validator(answersOf(id, reply.statusCode));
    check(reply.json());
    expect(check.errors).toBeNull();
  });

  it('should be true of refusals', async () => {
    const check = validator(byId('route').responses['401']?.content?.['application/json']?.schema ?? {});
    for (const headers of [{}, { authorization: 'Basic key' }]) {
      const reply = await app.inject({ method: 'POST', url: '/route', payload: { prompt: 'Hello' }, headers });
      expect(reply.statusCode).toBe(401);
      expect(check(reply.json())).toBe(true);
    }
  });

  it('Dify 18: should take empty optional headers as absent', async () => {
    const headers = { authorization: `Bearer ${ADMIN}`, 'if-match': '', accept: '', prefer: '', 'idempotency-key': '' };
    const changed = await app.inject({ method: 'PATCH', url: `/daos/${DAO}`, headers, payload: { name: 'Renamed' } });
    expect(changed.statusCode).toBe(200);
  });

  describe('for Dify', () => {
    const fileOf = (name: string): unknown => parse(readFileSync(join(DIFY, name), 'utf8'));

    it('should mean the same to readers of YAML 1.1, to whom a plain "yes" is true', () => {
      const text = difyTools(document as never);
      expect(parse(text, { version: '1.1' })).toEqual(parse(text));
    });

    it('should name the values of a choice in its description, which is all that a model sees', () => {
      const told = [...everything(parse(difyTools(document as never)))].flatMap(([, value]) => {
        const {
          enum: own,
          schema,
          description,
        } = (value ?? {}) as { enum?: string[]; schema?: Schema; description?: string };
        const values = own ?? (schema?.enum as string[] | undefined);
        return description === undefined || !Array.isArray(values) || values.length < 2
          ? []
          : [{ description, values }];
      });
      expect(told.length).toBeGreaterThan(2);
      for (const { description, values } of told) expect(description).toContain(`One of: ${values.join(', ')}.`);
      expect(told.map(({ values }) => values)).toContainEqual(['yes', 'no', 'abstain']);
    });

    it('should be in docs/dify as npm scripts write it: node scripts/write-dify-tools.mjs', () => {
      expect(fileOf('dagi-tools.openapi.yml')).toEqual(parse(difyTools(document as never)));
    });

    it('Dify 17: should have the tools that are named, without headers, and be valid', async () => {
      const tools = fileOf('dagi-tools.openapi.yml') as Document;
      const told = Object.values(tools.paths).flatMap((item) => Object.values(item));
      expect(told.map(({ operationId }) => operationId).toSorted()).toEqual([...DIFY_TOOLS].toSorted());
      expect(told.flatMap(({ parameters = [] }) => parameters.filter((one) => one.in === 'header'))).toEqual([]);
      expect(tools.servers).toEqual([{ url: SERVER_PLACEHOLDER }]);
      expect(await faultsOf(tools)).toBeUndefined();
      expect([...everything(tools)].filter(([path, value]) => path.endsWith('/type') && value === 'boolean')).toEqual(
        [],
      );
    });

    it.each(['chat-app.yml', 'agent-app.yml'])('should name what exists in %s', (name) => {
      interface Model {
        name: string;
        provider: string;
      }
      const file = fileOf(name) as {
        kind: string;
        app: { mode: string };
        model_config: { model: Model; agent_mode: { tools: { tool_name: string }[] } };
      };
      expect(file.kind).toBe('app');
      expect(file.model_config.model).toMatchObject({
        name: 'dagi-stack',
        provider: 'langgenius/openai_api_compatible/openai_api_compatible',
      });
      const tools = file.model_config.agent_mode.tools.map((tool) => tool.tool_name);
      expect(tools.filter((tool) => !(DIFY_TOOLS as readonly string[]).includes(tool))).toEqual([]);
      expect(tools.length > 0).toBe(file.app.mode === 'agent-chat');
    });
  });
});
