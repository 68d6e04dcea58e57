/** Settings of a repository that would start a program or reach out, as we set them in their place. */
const SETTINGS: readonly (readonly [key: string, value: string])[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.pager', 'cat'],
  ['core.quotePath', 'false'],
  ['core.sshCommand', '/bin/false'],
  ['core.untrackedCache', 'false'],
  ['credential.helper', ''],
  ['diff.external', ''],
  ['gpg.program', '/bin/false'],
  ['log.showSignature', 'false'],
  ['protocol.allow', 'never'],
  // The workspace may belong to another user than the one who runs git; here nothing of it is trusted anyway.
  ['safe.directory', '*'],
  ['status.submoduleSummary', 'false'],
];

/** What makes a filter of content do nothing: it would run for each changed file. */
const FILTER: readonly (readonly [name: string, value: string])[] = [
  ['clean', ''],
  ['smudge', ''],
  ['process', ''],
  ['required', 'false'],
];

/**
 * Variables for git. They count above the settings of the repository, and hold any name, which `-c` does not.
 * @param filters names of filters that the repository's settings define
 */
export function gitEnvironment(filters: readonly string[]): Record<string, string> {
  const off = filters.flatMap((name) => FILTER.map(([key, value]) => [`filter.${name}.${key}`, value] as const));
  const settings = [...SETTINGS, ...off];
  return {
    LC_ALL: 'C.UTF-8',
    LANGUAGE: 'C',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PAGER: 'cat',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  };
}
