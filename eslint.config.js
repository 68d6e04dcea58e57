import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

const SOURCES = ['{src,workflows,activities,config,test,bench}/**/*.ts'];
const TESTS = ['test/**/*.ts', 'bench/**/*.ts', '**/*.spec.ts'];

/** Builtins that the workflow bundler refuses: all but those that are deterministic. */
const FORBIDDEN_BUILTINS = builtinModules.filter((name) => !['assert', 'url', 'util'].includes(name));

const size = (lines) => ({
  'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: lines, skipBlankLines: true, skipComments: true }],
  complexity: ['error', 12],
});

export default tseslint.config(
  { ignores: ['dist/', 'var/', 'coverage/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { ecmaVersion: 2025 },
    rules: {
      eqeqeq: 'error',
      'no-unused-vars': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      ...size(60),
    },
  },
  {
    files: SOURCES,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'object-shorthand': 'error',
      ...size(60),
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'The environment is read in config/ alone.' },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      // Files with decorators are left alone by this rule: Nest needs the classes that constructors name at run time.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowNullish: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, attributes: false } },
      ],
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true, boolean: true } }],
      // An interface may promise a promise where one of its classes has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // Nest declares its option bags as classes.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // It takes what was true before an `await` for true after it.
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  { files: ['config/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      ...size(80),
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: FORBIDDEN_BUILTINS.map((name) => ({
            name,
            message: 'Workflow code is deterministic: no Node modules.',
          })),
          patterns: [
            { group: ['node:*'], message: 'Workflow code is deterministic: no Node modules.' },
            {
              group: ['**/activities/**'],
              allowTypeImports: true,
              message: 'Only types: activity code must not enter the bundle.',
            },
            {
              regex: '^(\\.\\./)+(config/|test/|src/(?!(contracts|domain|errors)/))',
              message: 'Workflows see contracts, domain and types of errors.',
            },
          ],
        },
      ],
    },
  },
  {
    files: TESTS,
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Clients send what is deprecated, too.
    files: ['test/clients/**/*.ts', 'test/e2e/clients-*.ts'],
    rules: { '@typescript-eslint/no-deprecated': 'off' },
  },
);
