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

const project = (name, testMatch, testTimeout, extra = {}) => ({
  ...base,
  displayName: name,
  testMatch: testMatch.map((pattern) => `<rootDir>/${pattern}`),
  testTimeout,
  ...extra,
});

export default {
  projects: [
    project('unit', ['{src,workflows,activities,config}/**/*.spec.ts'], 10_000),
    project('workflow', ['test/workflows/**/*.test.ts'], 60_000, withServers),
    project('replay', ['test/replay/**/*.test.ts'], 60_000),
    project('medium', ['test/medium/**/*.medium-spec.ts'], 60_000, withServers),
    project('e2e', ['test/e2e/**/*.e2e-spec.ts'], 60_000, withServers),
    project('architecture', ['test/architecture/**/*.test.ts'], 60_000),
  ],
};
