import type { FakeTools } from '../fakes/fake-dialect.js';

const tool = (name: string, description: string, parameter: string) => ({
  type: 'function' as const,
  function: {
    ...{ name, description },
    parameters: {
      type: 'object' as const,
      properties: { [parameter]: { type: 'string' as const } },
      required: [parameter],
    },
  },
});

/** Tools in OpenAI's form. */
export const TOOLS = [tool('weather', 'The weather of a city', 'city'), tool('clock', 'The time of a zone', 'zone')];

/** The same in the form of Dify, and of functions. */
export const FUNCTIONS = TOOLS.map(({ function: one }) => one);

/** What the model asks for: both at once, in fragments that take turns, as only few clients can read them. */
export const ASKS_FOR_BOTH: FakeTools = {
  calls: [
    { name: 'weather', arguments: { city: 'Kyiv' } },
    { name: 'clock', arguments: { zone: 'EET' } },
  ],
  interleaved: true,
  pieceLength: 4,
};

/** What becomes of it: each call's name and arguments. */
export const BOTH = ASKS_FOR_BOTH.calls.map(({ name, arguments: given }) => ({ name, arguments: given }));
