/** One project per kind of test. Servers that a kind needs are started once for it by test/support/servers.mjs. */
const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // `js` first: the mapping below also meets relative imports inside packages.
  moduleFileExtensions: ['js', 'ts', 'mjs', 'cjs', 'json', 'node'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/var/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        module: { type: 'es6' },
        sourceMaps: 'inline',
        jsc: {
          target: 'es2023',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, verbatimModuleSyntax: true },
        },
      },
    ],
  },
};

const withServers = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

const project = (name, testMatch, extra = {}) => ({
  ...base,
  displayName: name,
  testMatch: testMatch.map((pattern) => `<rootDir>/${pattern}`),
  ...extra,
});

export default {
  // One for all: inside a project Jest 30 does not heed it.
  testTimeout: 60_000,
  projects: [
    project('unit', ['{src,workflows,activities,config}/**/*.spec.ts']),
    project('workflow', ['test/workflows/**/*.test.ts'], withServers),
    project('replay', ['test/replay/**/*.test.ts']),
    project('medium', ['test/medium/**/*.medium-spec.ts'], withServers),
    project('e2e', ['test/e2e/**/*.e2e-spec.ts'], withServers),
    project('architecture', ['test/architecture/**/*.test.ts']),
  ],
};
