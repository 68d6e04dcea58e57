// The model of the bench of `/v1`, as a process: node bench/lib/openai-model.mjs '{"firstMs":[100,300],…}'
// Prints its address once it serves. `GET /__timings` tells how late it was itself, and forgets.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf, markerOf, planOf } from './openai-plan.mjs';

const model = JSON.parse(process.argv[2] ?? '{}');
/** Milliseconds after the plan, of each answer since it was last asked. */
let late = { first: [], last: [] };

const server = createServer((request, response) => {
  // The plan counts from here: what comes later is the model's own.
  const arrived = performance.now();
  handle(request, response, arrived).catch(() => response.destroy());
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));

async function handle(request, response, arrived) {
  const { method, url } = request;
  if (url === '/__timings') {
    sendJson(response, late);
    late = { first: [], last: [] };
  } else if (method === 'GET' && url === '/v1/models') {
    sendJson(response, { object: 'list', data: [{ id: 'fake-model', object: 'model', created: 1 }] });
  } else if (method === 'POST' && url === '/v1/chat/completions') {
    await chat(await bodyOf(request), response, arrived);
  } else {
    response.writeHead(404).end();
  }
}

async function chat(body, response, arrived) {
  const marker = markerOf(textOf(body.messages.at(-1)?.content));
  const plan = planOf(model, marker);
  const tokens = answerOf(model, marker);
  const until = async (at) => {
    const left = arrived + at - performance.now();
    if (left > 0) await sleep(left);
  };
  if (body.stream) {
    await stream(body, response, { arrived, plan, tokens, until });
  } else {
    await until(plan.last);
    late.last.push(performance.now() - arrived - plan.last);
    sendJson(response, whole(tokens));
  }
}

async function stream(body, response, { arrived, plan, tokens, until }) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [index, token] of tokens.entries()) {
    await until(plan.first + index * model.tokenMs);
    if (response.destroyed) return;
    if (index === 0) late.first.push(performance.now() - arrived - plan.first);
    const head = index === 0 ? event(chunk({ role: 'assistant', content: '' })) : '';
    response.write(head + event(chunk({ content: token })));
  }
  late.last.push(performance.now() - arrived - plan.last);
  const usage = body.stream_options?.include_usage ? event({ ...chunk({}), choices: [], usage: usageOf(tokens) }) : '';
  response.end(`${event(chunk({}, 'stop'))}${usage}data: [DONE]\n\n`);
}

const base = { id: 'chatcmpl-bench', created: 1_700_000_000, model: 'fake-model' };
const event = (data) => `data: ${JSON.stringify(data)}\n\n`;
const chunk = (delta, finish = null) => ({
  ...base,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const usageOf = ({ length }) => ({ prompt_tokens: 12, completion_tokens: length, total_tokens: 12 + length });
const whole = (tokens) => ({
  ...base,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: tokens.join('') }, finish_reason: 'stop' }],
  usage: usageOf(tokens),
});

const textOf = (content) => (typeof content === 'string' ? content : content.map(({ text }) => text ?? '').join(' '));

function sendJson(response, body) {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}
