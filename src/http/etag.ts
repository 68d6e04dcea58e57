import type { FastifyReply, FastifyRequest } from 'fastify';

/** `W/` marks a weak tag, which a change may not rest on. Quotes are often forgotten, and nothing else is meant. */
const TAG = /^"?(\d{1,19})"?$/;

/** Tells with an answer which version of a thing it holds. */
export function tellVersion(reply: FastifyReply, version: string): void {
  void reply.header('etag', `"${version}"`);
}

/**
 * The versions that `If-Match` names. What is there and no version of ours matches none.
 * @returns undefined without the header, where it is empty (as Dify sends what nobody filled in), or for `*`: any
 * version will do
 */
export function expectedVersions({ headers }: Pick<FastifyRequest, 'headers'>): string[] | undefined {
  const header = headers['if-match']?.trim();
  if (header === undefined || header === '' || header === '*') return undefined;
  return header.split(',').flatMap((tag) => TAG.exec(tag.trim())?.[1] ?? []);
}
