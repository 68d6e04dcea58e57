import { describe, expect, it } from '@jest/globals';
import {
  CompareQuerySchema,
  DecideSchema,
  RerunSchema,
  RunIdSchema,
  RunsQuerySchema,
  StartRunSchema,
} from './crews.js';

const KEPT = { text: 'ab', list: ['\uFFFD'] };
const SENT = { 'te\0xt': 'a\0b', list: ['\uD800'] };

describe('what is sent about runs of crews', () => {
  it('should come as the database can keep it', () => {
    expect(StartRunSchema.parse({ inputs: SENT }).inputs).toEqual(KEPT);
    expect(RerunSchema.parse({ inputs: SENT }).inputs).toEqual(KEPT);
    expect(DecideSchema.parse({ output: SENT }).output).toEqual(KEPT);
    expect(RunIdSchema.parse('a\0')).toBe('a');
    expect(RunsQuerySchema.parse({ after: 'a\0' }).after).toBe('a');
    expect(CompareQuerySchema.parse({ with: 'a\0' }).with).toBe('a');
  });

  it('should be refused where nothing is left of an id, or it goes too deep', () => {
    expect(RunIdSchema.safeParse('\0').success).toBe(false);
    const deep = JSON.parse(`${'{"a":'.repeat(120)}1${'}'.repeat(120)}`) as Record<string, unknown>;
    expect(StartRunSchema.safeParse({ inputs: deep }).success).toBe(false);
  });

  it('should have no inputs where none are sent', () => {
    expect(StartRunSchema.parse({}).inputs).toEqual({});
  });
});
