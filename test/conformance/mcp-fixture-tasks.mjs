// Fixtures that go on as tasks. The product's tasks are requests; what is shown here is that such a layer fits its servers.
import { randomUUID } from 'node:crypto';
import { MissingRequiredClientCapabilityError } from '@modelcontextprotocol/server';
import { capabilitiesOf, filledIn, form, sleep, text } from './mcp-fixture-parts.mjs';

const TASKS = 'io.modelcontextprotocol/tasks';
const object = (properties) => ({ type: 'object', properties });
const isDeclared = (context) => capabilitiesOf(context).extensions?.[TASKS] !== undefined;

function requireTasks(context) {
  if (!isDeclared(context)) {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } });
  }
}

export class TaskFixtures {
  known = new Map();

  /** Whether a task is one of these, for a client that knows tasks; the product refuses the others. */
  has({ taskId }, context) {
    return this.known.has(taskId) && isDeclared(context);
  }

  get(taskId) {
    return { ...this.known.get(taskId).shown };
  }

  update(taskId, responses = {}) {
    const task = this.known.get(taskId);
    for (const key of Object.keys(responses)) {
      if (!(key in task.asked)) continue;
      delete task.asked[key];
      if (Object.keys(task.asked).length === 0) this.end(task, { status: 'completed', result: text('done') });
    }
    return {};
  }

  cancel(taskId) {
    this.end(this.known.get(taskId), { status: 'cancelled' });
    return {};
  }

  /** Begins a task; with questions, it waits for their answers. */
  begin(asked = {}) {
    const at = new Date().toISOString();
    const shown = { taskId: randomUUID(), createdAt: at, lastUpdatedAt: at, ttlMs: null, pollIntervalMs: 200 };
    const task = { asked, shown: { ...shown, status: 'working' } };
    if (Object.keys(asked).length > 0) Object.assign(task.shown, { status: 'input_required', inputRequests: asked });
    this.known.set(shown.taskId, task);
    return { task, created: { resultType: 'task', ...shown, status: 'working', content: [] } };
  }

  end(task, outcome) {
    if (!['working', 'input_required'].includes(task.shown.status)) return;
    delete task.shown.inputRequests;
    Object.assign(task.shown, outcome, { lastUpdatedAt: new Date().toISOString() });
  }

  endsIn(ms, outcome) {
    const { task, created } = this.begin();
    setTimeout(() => this.end(task, outcome), ms).unref();
    return created;
  }

  /** The tools, by name. */
  tools(states) {
    const asTask = (begin) => (args, context) => {
      requireTasks(context);
      return begin(args);
    };
    const failed = { isError: true, ...text('It failed, as it is to.') };
    return {
      greet: { input: object({ name: { type: 'string' } }), call: ({ name }) => text(`Hello, ${name}!`) },
      slow_compute: {
        input: object({ seconds: { type: 'number' }, label: { type: 'string' } }),
        call: async ({ seconds = 0, label = '' }, context) => {
          const result = text(`computed ${label}`);
          if (isDeclared(context)) return this.endsIn(seconds * 1_000, { status: 'completed', result });
          await sleep(seconds * 1_000);
          return result;
        },
      },
      failing_job: asTask(() => this.endsIn(1_000, { status: 'completed', result: failed })),
      protocol_error_job: asTask(() =>
        this.endsIn(200, { status: 'failed', error: { code: -32603, message: 'It broke, as it is to.' } }),
      ),
      confirm_delete: {
        input: object({ filename: { type: 'string' } }),
        call: asTask(
          ({ filename }) => this.begin({ confirm: form(`Delete ${filename}?`, { confirm: 'boolean' }) }).created,
        ),
      },
      multi_input: asTask(
        () =>
          this.begin({
            first: form('First?', { confirm: 'boolean' }),
            second: form('Second?', { confirm: 'boolean' }),
          }).created,
      ),
      test_tool_with_task: async (_args, context) => {
        requireTasks(context);
        const name = filledIn(context, 'user_name', 'name');
        if (name !== undefined) return this.endsIn(200, { status: 'completed', result: text(`Hello, ${name}!`) });
        return {
          ...{ resultType: 'input_required', requestState: await states.mint({ call: 'task' }, context) },
          inputRequests: { user_name: form('What is your name?', { name: 'string' }) },
        };
      },
    };
  }
}
