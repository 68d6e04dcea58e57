/** What is reachable at run time, over any number of steps: type-only imports are gone when this is judged. */
const base = require('./.dependency-cruiser.cjs');

module.exports = {
  forbidden: [
    {
      name: 'workflows-reach-only-pure-code',
      comment: 'Whatever a workflow reaches is in the bundle',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^(activities|config|test|src/(?!(contracts|domain|errors)/))', reachable: true },
    },
    {
      name: 'edges-reach-no-activity',
      comment: 'Only a composition root holds activities',
      severity: 'error',
      from: { path: '^src/(http|bots|mcp|middleware|services)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^activities/', reachable: true },
    },
  ],
  options: { ...base.options, tsPreCompilationDeps: false },
};
