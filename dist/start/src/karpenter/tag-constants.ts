import { goConstant } from './go-constants.js'

/** Files of aws/karpenter-provider-aws at a version's tag. */
export const tagPaths = {
  kubernetes: 'pkg/providers/version/version.go',
  nodeClassHash: 'pkg/apis/v1/ec2nodeclass.go',
  upgradeNotes: 'website/content/en/preview/upgrading/upgrade-guide.md'
} as const

/** Kubernetes 1.x of version.go. Throws where it does not say it plainly. */
export function kubernetesIn(text: string): { readonly least: number; readonly most: number } {
  const [least, most] = ['MinK8sVersion', 'MaxK8sVersion'].map((name) => {
    const value = goConstant(text, name)
    const minor = /^1\.(\d{1,3})$/.exec(value ?? '')?.[1]
    if (minor === undefined)
      throw new Error(`it declares no ${name} such as "1.36"${value === undefined ? '' : ` but "${value}"`}`)
    return Number(minor)
  })
  if (least === undefined || most === undefined || least > most)
    throw new Error(`it has Kubernetes 1.${least ?? '?'} as least and 1.${most ?? '?'} as most`)
  return { least, most }
}

/** EC2NodeClassHashVersion of ec2nodeclass.go, `v6`. Throws where it does not say it plainly. */
export function hashVersionIn(text: string): string {
  const value = goConstant(text, 'EC2NodeClassHashVersion')
  if (value === undefined || !/^v\d+$/.test(value))
    throw new Error('it declares no EC2NodeClassHashVersion such as "v6"')
  return value
}
