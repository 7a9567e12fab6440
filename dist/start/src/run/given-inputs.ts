import {
  type CombineInputs,
  type Inputs,
  type InputSource,
  isCombine,
  parseCombineInputs,
  parseInputs
} from '../inputs/inputs.js'
import { isPublished } from '../helm/signature/published.js'
import { guideNames } from '../karpenter/names.js'
import { overrides } from '../preflight/catalogue.js'
import type { Ports } from './ports.js'

type Given = Pick<Ports, 'env' | 'readFile' | 'findFiles'> & { readonly runner: GivenTo }

/** The inputs of a step that works on a cluster. Throws UserError with every problem. */
export function givenInputs(ports: Given): Inputs {
  return parseInputs(sourceOf(ports))
}

/** Those of a step that puts reports together; undefined when the step is no such one. Throws as givenInputs does. */
export function givenCombineInputs(ports: Given): CombineInputs | undefined {
  const source = sourceOf(ports)
  return isCombine(source) ? parseCombineInputs(source) : undefined
}

function sourceOf(ports: Given): InputSource {
  return {
    get: (name) => ports.runner.getInput(name),
    env: ports.env,
    readFile: ports.readFile,
    findFiles: ports.findFiles,
    guideNames,
    publishedByAws: isPublished,
    overrides
  }
}

interface GivenTo {
  getInput(name: string): string
}
