// What the protocol's conformance suite calls: tools, prompts and resources beside the product's own, on its servers.
import { z } from 'zod';
import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { inputTools } from './mcp-fixture-inputs.mjs';
import { TaskFixtures } from './mcp-fixture-tasks.mjs';
import { capabilitiesOf, noArguments, sleep, text } from './mcp-fixture-parts.mjs';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';
const image = { type: 'image', data: PNG, mimeType: 'image/png' };

/** With keywords that a server is to leave as they are. */
const JSON_SCHEMA_2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const SIMPLE = {
  test_simple_text: () => text('This is a simple text response for testing.'),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  test_embedded_resource: () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }),
  test_multiple_content_types: () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }),
  test_error_handling: () => ({ isError: true, ...text('This tool intentionally returns an error for testing') }),
  test_tool_with_progress: async (_args, { mcpReq }) => {
    const { progressToken } = mcpReq._meta ?? {};
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      await sleep(50);
    }
    return text('done');
  },
  test_tool_with_logging: async (_args, { mcpReq }) => {
    for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.log('info', line);
      await sleep(50);
    }
    return text('done');
  },
  test_logging_tool: async (_args, { mcpReq }) => {
    await mcpReq.log('info', 'only for those who asked for it');
    return text('done');
  },
  test_missing_capability: (_args, context) => {
    if (!capabilitiesOf(context).sampling) {
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
    }
    return text('done');
  },
  json_schema_2020_12_tool: () => text('done'),
};

const RESOURCES = {
  'test://static-text': {
    name: 'static-text',
    description: 'A text.',
    mimeType: 'text/plain',
    text: 'This is the content of the static text resource.',
  },
  'test://static-binary': { name: 'static-binary', description: 'A picture.', mimeType: 'image/png', blob: PNG },
};
const TEMPLATE = /^test:\/\/template\/([^/]+)\/data$/;

function contentOf(uri) {
  const { mimeType, text: words, blob } = RESOURCES[uri] ?? {};
  if (mimeType) return { uri, mimeType, ...(blob === undefined ? { text: words } : { blob }) };
  const id = TEMPLATE.exec(uri)?.[1];
  if (id === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such resource.', { uri });
  const data = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { uri, mimeType: 'application/json', text: JSON.stringify(data) };
}

const says = (words) => ({ role: 'user', content: { type: 'text', text: words } });
const PROMPTS = {
  test_simple_prompt: { messages: () => [says('This is a simple prompt for testing.')] },
  test_prompt_with_arguments: {
    arguments: ['arg1', 'arg2'],
    messages: ({ arg1, arg2 }) => [says(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  },
  test_prompt_with_embedded_resource: {
    arguments: ['resourceUri'],
    messages: ({ resourceUri: uri }) => [
      {
        role: 'user',
        content: {
          type: 'resource',
          resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
      },
      says('Please process the embedded resource above.'),
    ],
  },
  test_prompt_with_image: {
    messages: () => [{ role: 'user', content: image }, says('Please analyze the image above.')],
  },
  test_input_required_result_prompt: {
    messages: (_args, { mcpReq }) => {
      const answer = mcpReq.inputResponses?.user_context?.content?.context;
      return typeof answer === 'string' ? [says(`In this context: ${answer}`)] : undefined;
    },
    asks: {
      user_context: {
        method: 'elicitation/create',
        params: {
          mode: 'form',
          message: 'What context should the prompt use?',
          requestedSchema: { type: 'object', properties: { context: { type: 'string' } }, required: ['context'] },
        },
      },
    },
  },
};

/** Lets a method answer for what is ours, and the product for the rest. */
function beside(server, method, isOurs, handler, params) {
  const products = server._requestHandlers.get(method);
  if (params) server.setRequestHandler(method, { params }, handler);
  else server.setRequestHandler(method, handler);
  const ours = server._requestHandlers.get(method);
  server._requestHandlers.set(method, (request, context) =>
    !products || isOurs(request.params, context) ? ours(request, context) : products(request, context),
  );
}

/** Adds ours to the end of a list of the product's. */
function listedToo(server, method, key, items) {
  const products = server._requestHandlers.get(method);
  server.setRequestHandler(method, () => ({ [key]: items }));
  const ours = server._requestHandlers.get(method);
  server._requestHandlers.set(method, async (request, context) => {
    const [theirs, added] = [await products?.(request, context), await ours(request, context)];
    if (!theirs || theirs.nextCursor) return theirs ?? added;
    return { ...added, ...theirs, [key]: [...theirs[key], ...items] };
  });
}

const tasks = new TaskFixtures();

/** Adds the suite's fixtures to a server of the product. */
export function extend(server, { era, states }) {
  const capabilities = { resources: {}, prompts: {}, completions: {}, ...(era === 'legacy' && { logging: {} }) };
  server.registerCapabilities(capabilities);
  addTools(server, { ...SIMPLE, ...inputTools(states), ...(era === 'modern' && tasks.tools(states)) });
  addResources(server);
  addPrompts(server);
  if (era === 'modern') addTasks(server);
}

function addTools(server, tools) {
  const described = Object.entries(tools).map(([name, tool]) => ({
    ...{ name, description: `A fixture: ${name}.` },
    inputSchema: name === 'json_schema_2020_12_tool' ? JSON_SCHEMA_2020 : (tool.input ?? noArguments),
  }));
  listedToo(server, 'tools/list', 'tools', described);
  beside(
    server,
    'tools/call',
    ({ name }) => name in tools,
    async ({ params }, context) => {
      const tool = tools[params.name];
      const call = typeof tool === 'function' ? tool : tool.call;
      return call(params.arguments ?? {}, context);
    },
  );
}

function addResources(server) {
  const listed = Object.entries(RESOURCES).map(([uri, { name, description, mimeType }]) => ({
    ...{ uri, name, description, mimeType },
  }));
  const template = { uriTemplate: 'test://template/{id}/data', name: 'template', description: 'By its id.' };
  listedToo(server, 'resources/list', 'resources', listed);
  listedToo(server, 'resources/templates/list', 'resourceTemplates', [template]);
  const isOurs = ({ uri }) => uri in RESOURCES || TEMPLATE.test(uri);
  beside(server, 'resources/read', isOurs, ({ params }) => ({ contents: [contentOf(params.uri)] }));
}

function addPrompts(server) {
  const listed = Object.entries(PROMPTS).map(([name, { arguments: names = [] }]) => ({
    ...{ name, description: `A fixture: ${name}.` },
    arguments: names.map((one) => ({ name: one, description: 'Any words.', required: true })),
  }));
  listedToo(server, 'prompts/list', 'prompts', listed);
  beside(
    server,
    'prompts/get',
    ({ name }) => name in PROMPTS,
    ({ params }, context) => {
      const { messages, asks } = PROMPTS[params.name];
      const made = messages(params.arguments ?? {}, context);
      return made ? { messages: made } : { resultType: 'input_required', inputRequests: asks };
    },
  );
  beside(
    server,
    'completion/complete',
    ({ ref }) => ref.name in PROMPTS,
    ({ params }) => ({
      completion: { values: ['paris', 'park', 'party'].filter((one) => one.startsWith(params.argument.value)) },
    }),
  );
}

function addTasks(server) {
  const params = z.looseObject({ taskId: z.string() });
  for (const method of ['get', 'update', 'cancel']) {
    beside(
      ...[server, `tasks/${method}`, (given, context) => tasks.has(given, context)],
      ({ taskId }, { mcpReq }) => tasks[method](taskId, mcpReq.inputResponses),
      params,
    );
  }
}
