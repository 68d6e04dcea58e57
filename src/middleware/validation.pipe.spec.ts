import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ValidationPipe } from './validation.pipe.js';

const schema = z.object({
  text: z.string(),
  parts: z.array(z.object({ n: z.number() })).optional(),
  odd: z
    .unknown()
    .superRefine((value, context) => {
      if (value !== undefined) context.addIssue({ code: 'custom', message: 'is odd', params: { code: 'unsupported' } });
    })
    .optional(),
});
const pipe = new ValidationPipe();
const check = (value: unknown, type: 'body' | 'query' | 'param' = 'body'): Promise<unknown> =>
  pipe.transform(value, { type, schema });

describe(ValidationPipe.name, () => {
  it('lets through what fits', async () => {
    await expect(check({ text: 'a', more: 1 })).resolves.toEqual({ text: 'a' });
  });

  it.each<[object, { param: string; code?: string }]>([
    [{}, { param: 'text' }],
    [{ text: 'a', parts: [{ n: 1 }, { n: 'x' }] }, { param: 'parts' }],
    [
      { text: 'a', odd: 1 },
      { param: 'odd', code: 'unsupported' },
    ],
  ])('names the field of a body that is at fault: %j', async (body, fault) => {
    await expect(check(body)).rejects.toMatchObject({ code: 'BODY_INVALID', fault, detail: {} });
  });

  it('names no field where the whole is at fault', async () => {
    await expect(check('text')).rejects.toMatchObject({ code: 'BODY_INVALID', fault: { param: null } });
  });

  it('says where it is wrong', async () => {
    await expect(check({ text: 'a', parts: [{}] })).rejects.toThrow(/does not fit the schema: parts\.0\.n: /);
  });

  it.each([
    ['query', 'The query does not fit'],
    ['param', 'The path does not fit'],
  ] as const)('tells a bad %s from a bad body', async (type, message) => {
    await expect(check({}, type)).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(check({}, type)).rejects.toThrow(message);
  });
});
