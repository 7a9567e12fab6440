import * as generated from './releases.generated.js'

/** What upstream's files say of a release and of those after it, up to the next row. */
export interface Release {
  /** First version that the row holds for. */
  readonly from: string
  /** Kubernetes 1.x: MinK8sVersion and MaxK8sVersion in pkg/providers/version/version.go at the tag. */
  readonly kubernetes: { readonly least: number; readonly most: number }
  /** EC2NodeClassHashVersion in pkg/apis/v1/ec2nodeclass.go at the tag. */
  readonly nodeClassHash: string
}

/** Ascending. */
export const releases: readonly Release[] = generated.releases

/** Newest patch of each minor that this release of the action was tested with, ascending. */
export const testedPatches: readonly string[] = generated.testedPatches
