// The crew of the bench of crews: what all parties run, and what a model says that does its tasks well.
import { GOOD } from '../../test/fakes/crew-answers.ts';

const text = (maxLength) => ({ type: 'string', minLength: 1, maxLength });
const object = (properties) => ({ type: 'object', properties, required: Object.keys(properties) });
const list = (items, [minItems, maxItems]) => ({ type: 'array', minItems, maxItems, items });

/** Four agents, one task each, one after the other; no tools, no gates, no checks beyond the schemas. */
export const CREW = {
  id: 'bench_decomposition',
  name: 'Bench: task decomposition',
  description: 'Takes a task apart, estimates its parts, finds which of them wait for which, and gives advice.',
  process: 'sequential',
  inputs: object({ task: { type: 'string', minLength: 3, maxLength: 4_000, description: 'What is to be done.' } }),
  agents: {
    planner: {
      role: 'Planner',
      goal: 'Take a task apart into pieces of work that one person can do in a day or two.',
      backstory: 'You have led small teams for years.',
    },
    estimator: {
      role: 'Estimator',
      goal: 'Say how many hours each piece of work takes, honestly.',
      backstory: 'You count testing and talking too. Where you know little, you say so.',
    },
    dependency_analyzer: {
      role: 'Dependency analyst',
      goal: 'Find which pieces of work cannot begin before others are done.',
      backstory: 'You name a dependency only where the result of one piece is needed for another.',
    },
    adviser: {
      role: 'Adviser',
      goal: 'Say what is to be minded before the work begins.',
      backstory: 'You prefer one thing that is done to five that are planned.',
    },
  },
  tasks: {
    plan: {
      agent: 'planner',
      instruction: 'Take inputs.task apart into three to eight subtasks, in the order in which they can be done.',
      uses: ['inputs.task'],
      output: object({ subtasks: list(object({ id: text(8), title: text(100) }), [3, 8]) }),
    },
    estimate: {
      agent: 'estimator',
      instruction: 'Estimate each subtask of plan.subtasks of inputs.task once, by its id, in hours from 1 to 80.',
      needs: ['plan'],
      uses: ['plan.subtasks', 'inputs.task'],
      output: object({
        estimates: list(
          object({
            id: text(8),
            hours: { type: 'integer', minimum: 1, maximum: 80 },
            confidence: { type: 'string', enum: ['low', 'medium', 'high'] },
          }),
          [2, 10],
        ),
      }),
    },
    find_dependencies: {
      agent: 'dependency_analyzer',
      instruction:
        'For each subtask of plan.subtasks of inputs.task depends_on has the ids of the subtasks that must be done before.',
      needs: ['plan'],
      uses: ['plan.subtasks', 'inputs.task'],
      output: object({
        dependencies: list(object({ id: text(8), depends_on: list(text(8), [0, 9]) }), [2, 10]),
      }),
    },
    advise: {
      agent: 'adviser',
      instruction:
        'Write one to six recommendations for inputs.task, by estimate.estimates and find_dependencies.dependencies.',
      needs: ['estimate', 'find_dependencies'],
      uses: ['estimate.estimates', 'find_dependencies.dependencies', 'inputs.task'],
      output: object({ recommendations: list(text(300), [1, 6]) }),
    },
  },
  result: { recommendations: 'advise.recommendations' },
};

/** Steps of a run: each task is one turn of its agent. */
export const STEPS = Object.keys(CREW.tasks).length;

/** What a run is given; its marker names it in the model's ledger. */
export const inputsOf = (marker) => ({ task: `Make a garden #${marker} behind the house, before spring.` });

/** Good answers of the model, by words of each task's instruction. */
export const ANSWERS = GOOD;

/** What a run must come to. */
export const EXPECTED = GOOD['one to six recommendations'][0];
