// Bare Temporal, as a process of its own: a client and its workers on one native connection, and nothing else.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { load } from '../lib/load.mjs';

const { TEMPORAL_ADDRESS: address, MODEL_URL: modelUrl } = process.env;
const QUEUE = 'bare';
const OTHER_QUEUE = 'bare-other';
const firsts = new Map();

const activities = {
  async generate(id) {
    const response = await fetch(`${modelUrl}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
      body: JSON.stringify({
        model: 'fake-model',
        stream: true,
        max_tokens: 200,
        messages: [{ role: 'user', content: `bench ${id}` }],
      }),
    });
    let length = 0;
    for await (const piece of response.body) {
      if (length === 0) firsts.get(id)?.();
      length += piece.length;
    }
    return length;
  },
};

Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address });
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});
const slots = { maxConcurrentWorkflowTaskExecutions: 400 };
const workers = [
  await Worker.create({ connection, taskQueue: QUEUE, activities, workflowBundle, maxCachedWorkflows: 300, ...slots }),
  await Worker.create({ connection, taskQueue: OTHER_QUEUE, activities }),
];
workers.forEach((worker) => void worker.run());
const client = new Client({ connection });

function caller(shape) {
  return async () => {
    const id = randomUUID();
    const began = performance.now();
    let first = Number.NaN;
    firsts.set(id, () => {
      first = performance.now() - began;
    });
    await client.workflow.execute('bareRequest', {
      args: [id, shape, OTHER_QUEUE],
      taskQueue: QUEUE,
      workflowId: `bare/${id}`,
      requestEagerStart: true,
    });
    firsts.delete(id);
    return { first, total: performance.now() - began };
  };
}

process.on('message', ({ id, shape, concurrency, total }) => {
  load(caller(shape), concurrency, total).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
