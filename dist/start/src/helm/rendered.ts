import { readYaml } from '../engine/yaml.js'
import { isManifest, type Manifest } from '../kubernetes/manifest.js'
import type { Chart } from './chart.js'
import type { Helm } from './run-helm.js'
import type { Values } from './values.js'

export interface Rendering {
  readonly name: string
  readonly namespace: string
  readonly chart: Pick<Chart, 'path'>
  readonly values: Values
  /** `1.34` */
  readonly kubernetes: string
}

/** What helm would install, by its own rendering and without a cluster; CRDs are left out. Throws HelmError. */
export async function renderedObjects(
  helm: Pick<Helm, 'run'>,
  { name, namespace, chart, values, kubernetes }: Rendering
): Promise<readonly Manifest[]> {
  const { stdout } = await helm.run(
    ['template', name, chart.path, '--namespace', namespace, '--kube-version', kubernetes, '--values', '-'],
    { stdin: JSON.stringify(values), subject: 'helm-values' }
  )
  return readYaml(stdout)
    .map(({ value }) => value)
    .filter(isManifest)
}
