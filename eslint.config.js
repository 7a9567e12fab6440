import tseslint from 'typescript-eslint'

/**
 * Folders of src, lowest first: a file imports from its own row and from those above it here, and from no later one.
 * DESIGN: what is lower knows nothing of what is built on it.
 */
const layers = [
  ['engine'],
  ['aws', 'kubernetes', 'helm', 'karpenter', 'github'],
  ['inputs'],
  ['adoption/owners'],
  ['resources'],
  ['preflight', 'upgrade', 'smoke-test'],
  ['health'],
  ['report'],
  ['run'],
  ['plan'],
  ['adoption'],
  ['modes']
]

/** Whose types a folder may know although they are decided later: what is found and decided is data to it. */
const knownTypes = { preflight: ['plan'], plan: ['adoption'] }

const pathOf = (folder) => (folder === 'adoption' ? 'adoption/(?!owners/)' : `${folder}/`)

function importRules() {
  return layers.flatMap((row, index) =>
    row.map((folder) => {
      const later = layers.slice(index + 1).flat()
      const types = knownTypes[folder] ?? []
      const forbidden = (folders, allowTypeImports) =>
        folders.map((one) => ({
          regex: `^(\\.\\./)+${pathOf(one)}`,
          allowTypeImports,
          message: `${folder}/ lies below ${one}/: pass in what it needs, or put what both need into the lower one.`
        }))
      return {
        files: [`src/${folder}/**/*.ts`],
        ...(folder === 'adoption' && { ignores: ['src/adoption/owners/**'] }),
        rules: {
          '@typescript-eslint/no-restricted-imports': [
            'error',
            {
              patterns: [
                ...forbidden(
                  later.filter((one) => !types.includes(one)),
                  false
                ),
                ...forbidden(types, true),
                { regex: '^(\\.\\./)+(main|post)\\.js$', message: 'Nothing is built on main and post.' }
              ]
            }
          ]
        }
      }
    })
  )
}

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'build/**', '.stryker-tmp/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.all.json' } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'max-lines': ['error', { max: 400 }],
      'max-params': ['error', { max: 5 }]
    }
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          property: 'toLocaleString',
          message:
            'It reads 25 ms of locale data, and says another thing elsewhere: engine/figure.ts groups digits.'
        }
      ]
    }
  },
  ...importRules(),
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked }
)
