import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { isMap } from '../src/engine/json.js'
import type { Inputs } from '../src/inputs/inputs.js'
import { givenInputs } from '../src/run/given-inputs.js'

/** Inputs as a step gives them, over action.yml's defaults. */
export function inputsOf(given: Readonly<Record<string, string>>): Inputs {
  const metadata: unknown = load(readFileSync('action.yml', 'utf8'))
  const declared = isMap(metadata) && isMap(metadata['inputs']) ? metadata['inputs'] : {}
  return givenInputs({
    runner: {
      getInput: (name) => {
        const input = declared[name]
        const standard = isMap(input) && typeof input['default'] === 'string' ? input['default'] : ''
        return given[name] ?? standard
      }
    },
    env: { AWS_REGION: 'eu-west-1' },
    readFile: () => '',
    findFiles: () => []
  })
}
