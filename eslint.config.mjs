// The rules that encode the architecture: awaited promises, no `any`, and what a workflow file may import.
import simpleImportSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

const outgoingHttp = ['undici', 'node:http', 'node:https', 'http', 'https'];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.perdure', 'coverage', 'bench/peers', 'examples'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { 'simple-import-sort': simpleImportSort },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      // Our objects are closures made by factories: their functions know no `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/only-throw-error': 'error',
      'simple-import-sort/imports': 'error',
      'simple-import-sort/exports': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
      curly: ['error', 'multi-line'],
    },
  },
  {
    files: ['src/workflows/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^node:|^(fs|path|crypto|http|https|net|os|child_process)$',
              message: 'Workflow code is replayed: no Node built-ins.',
            },
            {
              regex: '^(?:\\.\\./)+(?!\\.\\./|contract/|language/|calendar/|signals\\.ts|attempt-until-final\\.ts)',
              allowTypeImports: true,
              message: 'Workflows import the contract, language, calendar and types only.',
            },
            { regex: '^@temporalio/(?!workflow$|common$)', message: 'Workflows import @temporalio/workflow only.' },
          ],
        },
      ],
    },
  },
  {
    // Every outgoing call goes through one guarded module (src/jobs/http), or it is not guarded at all.
    files: ['src/{api,jobs,activities,workers,db}/**/*.ts'],
    ignores: ['**/*.test.ts', 'src/jobs/http/**', 'src/api/server.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Use src/jobs/http: it guards the target.' }],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: outgoingHttp.map((name) => ({
            name,
            allowTypeImports: true,
            message: 'Use src/jobs/http: it guards the target.',
          })),
        },
      ],
    },
  },
  {
    files: ['src/cli/**', 'bench/**', 'chaos/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Tests read answers as they expect them: a wrong expectation fails the test, a type would only repeat it.
    files: ['**/*.test.ts', 'src/testing/**'],
    rules: {
      'no-console': 'off',
      ...Object.fromEntries(
        ['argument', 'assignment', 'call', 'member-access', 'return'].map((use) => [
          `@typescript-eslint/no-unsafe-${use}`,
          'off',
        ]),
      ),
    },
  },
);
