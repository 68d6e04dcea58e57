import { describe, expect, it } from '@jest/globals';
import { NamespaceNotFoundError, ServiceError } from '@temporalio/client';
import { AppError } from '../../errors/app-error.js';
import { isForgotten, isRefusal, unlessFull } from './refusals.js';

/** An error as gRPC tells it: some put the words into the details, the native connection into the message. */
const grpc = (code: number, message: string, details = ''): Error =>
  Object.assign(new Error(message), { code, details, metadata: {} });

const UNKNOWN = 'Namespace default has no mapping defined for search attribute DaoId';

describe('what a server refuses', () => {
  it.each<[string, unknown, boolean, boolean]>([
    ['an unknown search attribute', grpc(3, UNKNOWN), true, true],
    ['the same in the details', grpc(3, 'grpc', UNKNOWN), true, true],
    ['the same, wrapped by the client', new ServiceError('failed', { cause: grpc(3, UNKNOWN) }), true, true],
    ['another argument', grpc(3, 'WorkflowId length exceeds limit.'), true, false],
    ['an unknown namespace', new NamespaceNotFoundError('ours'), true, true],
    ['an unknown namespace, unwrapped', grpc(5, 'Namespace ours is not found.'), true, true],
    ['something else that is not there', grpc(5, 'workflow not found'), true, false],
    ['rights', grpc(7, 'no right to search attributes'), true, false],
    ['a key', grpc(16, 'who are you'), true, false],
    ['nothing: it is away', grpc(14, 'search attribute'), false, false],
    ['nothing: no answer of a server', new Error(UNKNOWN), false, false],
    ['nothing at all', undefined, false, false],
  ])('%s', (_what, error, refused, forgotten) => {
    expect([isRefusal(error), isForgotten(error)]).toEqual([refused, forgotten]);
  });

  it('is no failure of a poke where a workflow was poked too often, and any other is', async () => {
    const words = 'exceeded workflow execution limit for signal events';
    const poke = (cause: Error) => unlessFull(Promise.reject(new AppError('INTERNAL', undefined, {}, { cause })));
    await expect(poke(grpc(3, words))).resolves.toBeUndefined();
    await expect(poke(new ServiceError('failed', { cause: grpc(3, 'grpc', words) }))).resolves.toBeUndefined();
    for (const cause of [grpc(3, UNKNOWN), grpc(8, words)]) {
      await expect(poke(cause)).rejects.toMatchObject({ code: 'INTERNAL' });
    }
    await expect(unlessFull(Promise.reject(grpc(3, words)))).rejects.toThrow(words);
    await expect(unlessFull(Promise.resolve('poked'))).resolves.toBeUndefined();
  });
});
