import { type Inputs, parseInputs } from '../inputs/inputs.js'
import { guideNames } from '../karpenter/names.js'
import { overrides } from '../preflight/catalogue.js'
import type { Ports } from './ports.js'

/** The inputs of the step. Throws UserError with every problem. */
export function givenInputs(
  ports: Pick<Ports, 'env' | 'readFile' | 'findFiles'> & { readonly runner: GivenTo }
): Inputs {
  return parseInputs({
    get: (name) => ports.runner.getInput(name),
    env: ports.env,
    readFile: ports.readFile,
    findFiles: ports.findFiles,
    guideNames,
    overrides
  })
}

interface GivenTo {
  getInput(name: string): string
}
