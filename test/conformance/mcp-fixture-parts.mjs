// What fixtures of the conformance suite are made of.
export { setTimeout as sleep } from 'node:timers/promises';

export const text = (words) => ({ content: [{ type: 'text', text: words }] });
export const noArguments = { type: 'object', properties: {} };

/** What the client of a call says that it can do. */
export const capabilitiesOf = ({ mcpReq }) => mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};

/** A form with fields of these types. */
export const form = (message, fields) => ({
  method: 'elicitation/create',
  params: {
    ...{ mode: 'form', message },
    requestedSchema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, { type }])),
      required: Object.keys(fields),
    },
  },
});

/** A question to the client's model. */
export const sampling = (words, maxTokens) => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text: words } }], maxTokens },
});

export const roots = { method: 'roots/list', params: {} };

/** What was filled in, if it has that type. */
export function filledIn({ mcpReq }, key, field, type = 'string') {
  const { action, content } = mcpReq.inputResponses?.[key] ?? {};
  return action === 'accept' && typeof content?.[field] === type ? content[field] : undefined;
}
