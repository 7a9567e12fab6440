import type { AnyResource, Inspection } from '../../src/engine/resource.js'
import type { Claim } from '../../src/engine/standing.js'
import { recordedStep, type RecordedStep } from '../aws/stand-in.js'

/** Reads, applies what differs, reads again: what an install does with one resource. */
export async function install(
  resource: AnyResource
): Promise<{ before: Inspection; after: Inspection; step: RecordedStep }> {
  const before = await resource.inspect(new AbortController().signal)
  const step = recordedStep()
  if (before.differences.length > 0 || before.state === 'unreadable') await before.apply(step)
  await before.settle(step)
  return { before, after: await resource.inspect(new AbortController().signal), step }
}

export async function inspect(resource: AnyResource): Promise<Inspection> {
  return resource.inspect(new AbortController().signal)
}

export const ownership = { owner: 'setup-karpenter', run: 'https://github.com/org/repo/actions/runs/1' }

/** What a removal goes by where there is no record: marks alone. */
export const unrecorded: Claim = { removeAdopted: false }

/** The record says that nothing of it was there before. */
export const recordedAsOurs: Claim = { recorded: { before: [], wanted: {} }, removeAdopted: false }

/** Part of a stack that goes, or stays. */
export function ofStack(stays?: string): Claim {
  const standing = stays === undefined ? 'made' : 'other'
  return { removeAdopted: false, whole: { title: 'CloudFormation stack Karpenter-blue', standing, stays } }
}
