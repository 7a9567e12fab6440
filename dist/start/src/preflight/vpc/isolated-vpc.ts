import { isMap } from '../../engine/json.js'
import { textField, type Manifest } from '../../kubernetes/manifest.js'
import type { Concern } from '../finding.js'

/**
 * What Karpenter must be told where nothing leads out of the VPC: neither IAM nor the price list has an endpoint there, and
 * ECR's public registry has none either. Source: Karpenter, getting started, private clusters.
 */
export function isolatedVpc({
  values,
  nodeClasses
}: {
  readonly values: Readonly<Record<string, unknown>>
  readonly nodeClasses: readonly Manifest[]
}): readonly Concern[] {
  const evidence = 'none of the subnets has a route to 0.0.0.0/0'
  const finding = (subject: string, problem: string, fix: string): Concern => ({
    level: 'warning',
    subject,
    problem,
    evidence,
    fix
  })
  const byRole = nodeClasses
    .filter((nodeClass) => textField(nodeClass, 'spec', 'role') !== undefined)
    .map(({ metadata }) => metadata.name)
  const image = at(values, 'controller', 'image', 'repository') ?? 'public.ecr.aws/karpenter/controller'
  const isolated = at(values, 'settings', 'isolatedVPC')
  return [
    ...(isolated === true || isolated === 'true'
      ? []
      : [
          finding(
            'helm-values',
            'settings.isolatedVPC is not true, so the controller asks for prices and instance profiles where it gets no answer',
            'Pass `helm-values: "settings: {isolatedVPC: true}"`.'
          )
        ]),
    ...(byRole.length === 0
      ? []
      : [
          finding(
            'node-pools',
            `EC2NodeClass ${byRole.join(', ')}: spec.role makes Karpenter ask IAM for an instance profile, and IAM has no endpoint in a VPC`,
            'Make an instance profile with the node role, and name it in spec.instanceProfile in place of spec.role.'
          )
        ]),
    ...(typeof image === 'string' && image.startsWith('public.ecr.aws/')
      ? [
          finding(
            'helm-values',
            `the controller's image ${image} is in ECR's public registry, which has no endpoint in a VPC`,
            'Unless the nodes it runs on reach it: copy the image to a registry of the account and pass its name as `controller.image.repository`, with `controller.image.digest` as it is there.'
          )
        ]
      : [])
  ]
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((from, name) => (isMap(from) ? from[name] : undefined), value)
}
