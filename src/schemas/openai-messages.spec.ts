import { describe, expect, it } from '@jest/globals';
import type { ChatMessage } from '../contracts/chat.js';
import { messages, promptOf } from './openai-messages.js';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const CALL = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } };

describe('messages', () => {
  it.each<[string, object[], ChatMessage[]]>([
    ['a system', [{ role: 'system', content: 's' }], [{ role: 'system', content: 's' }]],
    ['a developer', [{ role: 'developer', content: 's', name: 'd' }], [{ role: 'system', content: 's', name: 'd' }]],
    [
      'parts of a system',
      [
        {
          role: 'system',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      [{ role: 'system', content: 'a\nb' }],
    ],
    ['a user', [{ role: 'user', content: 'u\0', name: null }], [{ role: 'user', content: 'u' }]],
    [
      'parts of a user that are text alone',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      [{ role: 'user', content: 'a\nb' }],
    ],
    [
      'a user with an image',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what is it' },
            { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
            { type: 'image_url', image_url: `${PNG}\0` },
            { type: 'image_url', image_url: 'https://example.org/\uD800' },
          ],
        },
      ],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what is it' },
            { type: 'image', url: PNG, detail: 'low' },
            { type: 'image', url: 'https://example.org/a.png' },
            { type: 'image', url: PNG },
            { type: 'image', url: 'https://example.org/\uFFFD' },
          ],
        },
      ],
    ],
    ['an assistant', [{ role: 'assistant', content: 'a' }], [{ role: 'assistant', content: 'a' }]],
    [
      'an assistant that thought and asked for a tool',
      [{ role: 'assistant', content: null, reasoning_content: 'hm', tool_calls: [CALL] }],
      [{ role: 'assistant', content: null, toolCalls: [{ id: 'c1', name: 'look', arguments: '{"at":1}' }] }],
    ],
    [
      'arguments that a client has parsed',
      [{ role: 'assistant', tool_calls: [{ id: 'c1', function: { name: 'look', arguments: { at: 1 } } }] }],
      [{ role: 'assistant', content: null, toolCalls: [{ id: 'c1', name: 'look', arguments: '{"at":1}' }] }],
    ],
    [
      'an assistant that refused',
      [{ role: 'assistant', content: null, refusal: 'no' }],
      [{ role: 'assistant', content: 'no' }],
    ],
    [
      'parts of an assistant',
      [
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'a' },
            { type: 'refusal', refusal: 'no' },
          ],
        },
      ],
      [{ role: 'assistant', content: 'a\nno' }],
    ],
    ['an assistant that said nothing', [{ role: 'assistant' }], [{ role: 'assistant', content: '' }]],
    [
      'an answer of a tool',
      [{ role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: 'seen' }] }],
      [{ role: 'tool', toolCallId: 'c1', content: 'seen' }],
    ],
    [
      'functions, as tools were called before',
      [
        { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{}' } },
        { role: 'function', name: 'look', content: 'first' },
        { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{}' } },
        { role: 'function', name: 'look', content: null },
      ],
      [
        { role: 'assistant', content: null, toolCalls: [{ id: 'call_0', name: 'look', arguments: '{}' }] },
        { role: 'tool', toolCallId: 'call_0', content: 'first' },
        { role: 'assistant', content: null, toolCalls: [{ id: 'call_2', name: 'look', arguments: '{}' }] },
        { role: 'tool', toolCallId: 'call_2', content: '' },
      ],
    ],
  ])('reads %s', (_name, wire, expected) => {
    expect(messages.parse(wire)).toEqual(expected);
  });

  const user = (content: unknown): object[] => [{ role: 'user', content }];

  it.each<[string, unknown, RegExp]>([
    ['no list', 'hi', /a list of messages/],
    ['nothing', [], /at least one/],
    ['another role', [{ role: 'king', content: 'x' }], /role is one of/],
    ['a user who says nothing', user(null), /a text or a list of parts/],
    ['a user without parts', user([]), /./],
    ['a file', user([{ type: 'file', file: {} }]), /a part of type file cannot be sent here; text and image_url can/],
    ['sound', user([{ type: 'input_audio', input_audio: {} }]), /type input_audio cannot/],
    ['a film', user([{ type: 'video_url', video_url: {} }]), /type video_url cannot/],
    ['sound as an image', user([{ type: 'image_url', image_url: { url: 'data:audio/wav;base64,AA' } }]), /an image is/],
    ['an image that is none', user([{ type: 'image_url', image_url: `${PNG}<svg>` }]), /an image is/],
    ['no image in a URI', user([{ type: 'image_url', image_url: 'data:image/png;base64,' }]), /an image is/],
    ['more than an address', user([{ type: 'image_url', image_url: 'https://a.test/ b' }]), /an image is/],
    ['a file of ours', user([{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }]), /an image is/],
    ['an image of a system', [{ role: 'system', content: [{ type: 'image_url', image_url: PNG }] }], /text can/],
    ['a tool without the call', [{ role: 'tool', content: 'x' }], /./],
    [
      'a call of another kind',
      [{ role: 'assistant', tool_calls: [{ ...CALL, type: 'custom' }] }],
      /calls of functions/,
    ],
    ['a function that nobody asked', [{ role: 'function', name: 'look', content: 'x' }], /follows the function_call/],
  ])('refuses %s', (_name, wire, message) => {
    const { error } = messages.safeParse(wire);
    expect(error?.issues[0]?.message).toMatch(message);
  });
});

describe(promptOf.name, () => {
  it.each<[ChatMessage[], string]>([
    [
      [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
        { role: 'assistant', content: 'c' },
      ],
      'b',
    ],
    [
      [
        { role: 'system', content: 's' },
        { role: 'assistant', content: 'c' },
      ],
      'c',
    ],
    [
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image', url: PNG },
          ],
        },
      ],
      'a',
    ],
    [[{ role: 'user', content: [{ type: 'image', url: PNG }] }], ''],
  ])('is what a user said last: %j', (all, prompt) => {
    expect(promptOf(all)).toBe(prompt);
  });
});
