import { newest } from '../../sandbox/index.js'
import { boundary } from '../damage.js'
import type { Setting } from '../drift-scenario.js'

/** A cluster of today, whose roles have a permissions boundary. */
export const today: Pick<Setting, 'spec' | 'inputs'> = {
  spec: {
    name: 'today',
    region: 'eu-central-1',
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    stackPace: 10
  },
  inputs: {
    'karpenter-version': newest,
    'controller-identity': 'pod-identity',
    'smoke-test': 'false',
    'permissions-boundary': boundary,
    tags: 'team=platform'
  }
}
