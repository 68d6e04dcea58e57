/**
 * Who may import whom: the table of folders in the architecture document, a rule per line of it. Judged on the sources
 * with type-only imports included; `.dependency-cruiser.runtime.cjs` judges what is left at run time.
 */
const SPEC = '\\.spec\\.ts$';
const ROOTS = '^src/((main|worker|runtime|compose|devtools|mcp-server)\\.ts$|cli/)';
const EDGES = '^src/(http|bots|mcp|middleware)/';
const INNER = '^(src|workflows|activities|config)/';

/** A rule for the code of a folder; its specs may import what they test with. */
const forbid = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from:
    typeof from === 'string'
      ? { path: from, pathNot: SPEC }
      : { ...from, pathNot: [SPEC, ...[from.pathNot ?? []].flat()] },
  to,
});

const npm = (...names) => `^node_modules/(${names.join('|')})/`;
const TEMPORAL = npm('@temporalio');
/** Everything outside our own folders: packages and Node's own modules. */
const OUTSIDE = {
  dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'],
};
const VALUE = { dependencyTypesNot: ['type-only'] };

module.exports = {
  forbidden: [
    forbid('no-circular', 'A cycle has no first part to understand', {}, { circular: true }),
    forbid('not-resolvable', 'The import leads nowhere', {}, { couldNotResolve: true }),
    forbid(
      'no-dev-dependency',
      'The product runs without development packages',
      { path: INNER },
      { dependencyTypes: ['npm-dev'], ...{ dependencyTypesNot: ['type-only'] } },
    ),
    forbid(
      'nobody-imports-test',
      'Only tests and benches use fakes',
      { pathNot: '^(test|bench)/' },
      { path: '^test/' },
    ),
    forbid(
      'nobody-imports-a-root',
      'Composition roots are the top',
      { pathNot: [ROOTS, '^(test|bench)/'] },
      { path: ROOTS },
    ),

    forbid('contracts-are-a-leaf', 'Both sides of the workflow boundary load them', '^src/contracts/', {
      pathNot: '^src/contracts/',
    }),
    forbid('errors-know-only-contracts', 'The catalogue is near the leaf', '^src/errors/', {
      pathNot: '^src/(errors|contracts)/',
    }),
    forbid('schemas-know-only-contracts', 'Schemas describe contracts', '^src/schemas/', {
      path: '^(src|workflows|activities|config|bench|scripts)/',
      pathNot: '^src/(schemas|contracts)/',
    }),
    forbid('schemas-use-only-zod', 'Of other packages they may name types', '^src/schemas/', {
      ...OUTSIDE,
      ...VALUE,
      pathNot: npm('zod'),
    }),
    forbid('domain-is-pure', 'No I/O and no clock: workflows run this code too', '^src/domain/', {
      // Patterns and Markdown are read by libraries that are pure themselves.
      pathNot: [
        '^src/(domain|contracts|errors)/',
        npm('re2js', 'mdast-util-from-markdown', 'mdast-util-gfm', 'micromark-extension-gfm', '@types/mdast'),
      ],
    }),

    forbid('workflows-import-only-types-from-activities', 'Activity code must not enter the bundle', '^workflows/', {
      path: '^activities/',
      ...VALUE,
    }),
    forbid('workflows-see-only-pure-code', 'Contracts, domain and types of errors', '^workflows/', {
      path: '^(src|config|test|bench|scripts)/',
      pathNot: '^src/(contracts|domain|errors)/',
    }),
    forbid('workflows-import-only-types-from-errors', 'A workflow fails with ApplicationFailure', '^workflows/', {
      path: '^src/errors/',
      ...VALUE,
    }),
    forbid('workflows-npm-allowlist', 'Nothing else is deterministic', '^workflows/', {
      ...OUTSIDE,
      pathNot: npm('@temporalio/workflow', '@temporalio/common'),
    }),

    forbid('activities-import-only-types-from-adapters', 'Factories get what they need as arguments', '^activities/', {
      path: '^(src|config)/',
      pathNot: '^src/(contracts|domain|errors)/',
      ...VALUE,
    }),
    forbid(
      'activities-see-nothing-but-adapters',
      'Activities are called, they call no service and no edge',
      '^activities/',
      {
        path: '^(src/(http|bots|mcp|middleware|services|cli)|workflows|test)/',
      },
    ),
    forbid('activities-temporal-allowlist', 'The worker and the client are not theirs', '^activities/', {
      path: TEMPORAL,
      pathNot: npm('@temporalio/activity', '@temporalio/common'),
    }),

    forbid(
      'adapters-never-inward',
      'An adapter knows one outside system and nothing of ours above it',
      '^src/adapters/',
      {
        path: '^(src/(http|bots|mcp|middleware|services|domain)|activities)/',
      },
    ),
    forbid(
      'workflows-by-type-or-message-only',
      'Only the bundler loads workflow code; others know its types and messages',
      '^(src|activities|config)/',
      { path: '^workflows/', pathNot: '/messages\\.ts$', ...VALUE },
    ),
    forbid(
      'workflows-through-one-door',
      'Only the Temporal adapter speaks to workflows',
      { path: '^src/', pathNot: [ROOTS, '^src/adapters/temporal/'] },
      { path: '^workflows/' },
    ),
    forbid(
      'activities-through-one-door',
      'Only a composition root holds activities',
      { path: '^src/', pathNot: ROOTS },
      {
        path: '^activities/',
      },
    ),

    forbid('services-never-edges-or-temporal', 'A service serves every edge alike', '^src/services/', {
      path: ['^src/(http|bots|mcp|middleware)/', '^(workflows|activities)/', TEMPORAL],
    }),
    forbid('edges-go-through-services', 'An edge validates, calls one service, maps the answer', EDGES, {
      path: ['^src/(adapters|domain)/', '^(workflows|activities)/', TEMPORAL],
    }),
    forbid(
      'edges-know-only-themselves',
      'No edge depends on another',
      { path: '^src/(bots|mcp|http|middleware)/' },
      {
        path: '^src/(bots|mcp|http)/',
        pathNot: '^src/$1/',
      },
    ),

    forbid(
      'temporal-client-one-door',
      'The client has one door',
      { pathNot: ['^src/adapters/temporal/', '^(test|bench)/'] },
      {
        path: npm('@temporalio/client'),
      },
    ),
    forbid(
      'temporal-worker-one-door',
      'The worker has one door',
      { pathNot: ['^src/(worker|runtime)\\.ts$', '^src/adapters/temporal/', '^(test|bench)/'] },
      { path: npm('@temporalio/worker') },
    ),
    forbid(
      'temporal-testing-in-tests',
      'The test server is for tests',
      { pathNot: '^(test|bench)/' },
      { path: npm('@temporalio/testing') },
    ),

    forbid(
      'config-only-at-composition-roots',
      'Everything else is handed the part that it needs',
      { path: '^(src|activities)/', pathNot: [ROOTS, '^src/adapters/'] },
      { path: '^config/', ...VALUE },
    ),
    forbid(
      'config-is-unknown-below',
      'Contracts, errors, schemas, domain and services have no configuration',
      '^src/(contracts|errors|schemas|domain|services)/',
      {
        path: '^config/',
      },
    ),
    forbid('config-near-leaf', 'Configuration knows contracts, errors and schemas', '^config/', {
      path: '^(src|workflows|activities|test|bench|scripts)/',
      pathNot: '^src/(contracts|errors|schemas)/',
    }),
  ],
  options: {
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^(dist|var|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
