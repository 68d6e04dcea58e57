// Fixtures that ask for something and are called again with it. What they give to carry is sealed by the product's own codec.
import { capabilitiesOf, filledIn, form, roots, sampling, text } from './mcp-fixture-parts.mjs';

const asking = (inputRequests, requestState) => ({
  ...{ resultType: 'input_required', inputRequests },
  ...(requestState !== undefined && { requestState }),
});

const NAME = { user_name: form('What is your name?', { name: 'string' }) };
const CONFIRM = { confirm: form('Please confirm', { ok: 'boolean' }) };
const STEPS = [
  { step1: form('Step 1: What is your name?', { name: 'string' }) },
  { step2: form('Step 2: What is your favorite color?', { color: 'string' }) },
];

const saidBy = ({ mcpReq }, key) => mcpReq.inputResponses?.[key]?.content?.text;
const rootsOf = ({ mcpReq }, key) => mcpReq.inputResponses?.[key]?.roots;

/** The tools, by name. */
export function inputTools(states) {
  const seal = (call, context, inputs = {}) => states.mint({ call, inputs }, context);
  const stateOf = ({ mcpReq }) => mcpReq.requestState();
  const confirmed = async (call, context) => {
    if (stateOf(context)?.call === call && filledIn(context, 'confirm', 'ok', 'boolean') !== undefined) {
      return text('state-ok');
    }
    return asking(CONFIRM, await seal(call, context));
  };
  return {
    test_streaming_elicitation: () => asking(NAME),
    test_input_required_result_elicitation: (_args, context) => {
      const name = filledIn(context, 'user_name', 'name');
      return name === undefined ? asking(NAME) : text(`Hello, ${name}!`);
    },
    test_input_required_result_sampling: (_args, context) => {
      const answer = saidBy(context, 'capital_question');
      const question = { capital_question: sampling('What is the capital of France?', 100) };
      return answer === undefined ? asking(question) : text(answer);
    },
    test_input_required_result_list_roots: (_args, context) => {
      const found = rootsOf(context, 'client_roots');
      return found ? text(`Roots: ${found.map(({ uri }) => uri).join(', ')}`) : asking({ client_roots: roots });
    },
    test_input_required_result_request_state: (_args, context) => confirmed('request_state', context),
    test_input_required_result_tampered_state: (_args, context) => confirmed('tampered_state', context),
    test_input_required_result_multiple_inputs: async (_args, context) => {
      const [name, greeting] = [filledIn(context, 'user_name', 'name'), saidBy(context, 'greeting')];
      const found = rootsOf(context, 'client_roots');
      if (stateOf(context) && name !== undefined && greeting !== undefined && found) {
        return text(`${greeting}, ${name}: ${found.length} roots`);
      }
      const all = { ...NAME, greeting: sampling('Generate a greeting', 50), client_roots: roots };
      return asking(all, await seal('multiple_inputs', context));
    },
    test_input_required_result_multi_round: async (_args, context) => {
      const before = stateOf(context)?.inputs ?? {};
      const name = before.name ?? filledIn(context, 'step1', 'name');
      const color = filledIn(context, 'step2', 'color');
      if (name === undefined) return asking(STEPS[0], await seal('multi_round', context));
      if (before.name === undefined || color === undefined) {
        return asking(STEPS[1], await seal('multi_round', context, { name }));
      }
      return text(`${name} likes ${color}`);
    },
    test_input_required_result_capabilities: (_args, context) => {
      const can = capabilitiesOf(context);
      return asking({
        ...(can.elicitation && NAME),
        ...(can.sampling && { greeting: sampling('Generate a greeting', 50) }),
        ...(can.roots && { client_roots: roots }),
      });
    },
  };
}
