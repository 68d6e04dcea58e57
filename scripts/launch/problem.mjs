/** A failure that is told in one sentence, without a stack trace. */
export class Problem extends Error {}

/** Turns a refused write into the sentence that helps. */
export function writeProblem(folder, error) {
  if (!['EACCES', 'EROFS', 'EPERM', 'ENOSPC'].includes(error.code)) return error;
  const remedy =
    error.code === 'ENOSPC'
      ? 'free some disk space'
      : 'give this user write access, or run it once as the owner of the checkout';
  return new Problem(`${folder} cannot be written (${error.code}): ${remedy}.`);
}
