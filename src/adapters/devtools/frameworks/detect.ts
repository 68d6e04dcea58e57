import { TEST_FRAMEWORKS, type TestFramework } from '../../../contracts/devtools.js';
import { AppError } from '../../../errors/app-error.js';
import type { Project } from './project.js';

/** What in a folder tells of each framework. */
const SIGNS: Readonly<Record<TestFramework, (project: Project) => boolean>> = {
  jest: (project) => usesPackage(project, 'jest') || project.packageJson?.hasJestSettings === true,
  vitest: (project) => usesPackage(project, 'vitest'),
  node: ({ packageJson, hasNodeTests }) =>
    packageJson !== undefined && (/\bnode\b.*--test\b/.test(packageJson.scripts.test ?? '') || hasNodeTests),
  pytest: (project) =>
    ['pytest.ini', '.pytest.ini', 'conftest.py'].some((name) => project.names.has(name)) ||
    project.pyproject.includes('[tool.pytest') ||
    /^\[(tool:)?pytest\]/m.test(project.iniFiles) ||
    project.hasPythonTests,
  go: ({ names }) => names.has('go.mod'),
  cargo: ({ names }) => names.has('Cargo.toml'),
};

function usesPackage({ packageJson, names }: Project, name: string): boolean {
  const configured = [...names].some((file) => new RegExp(`^${name}\\.config\\.[cm]?[jt]s$`).test(file));
  const script = packageJson?.scripts.test ?? '';
  return configured || packageJson?.wants.has(name) === true || new RegExp(`\\b${name}\\b`).test(script);
}

const LOOKED_FOR =
  'package.json with jest, vitest or "node --test", pytest.ini, pyproject.toml with [tool.pytest], conftest.py, ' +
  'test_*.py, go.mod, Cargo.toml';

/**
 * The framework of a folder: the first that its files tell of.
 * @throws AppError `TOOL_FAILED` where they tell of none
 */
export function detectFramework(project: Project): TestFramework {
  const found = TEST_FRAMEWORKS.find((framework) => SIGNS[framework](project));
  if (found) return found;
  throw new AppError('TOOL_FAILED', `This folder has no tests that are known here; looked for: ${LOOKED_FOR}.`);
}
