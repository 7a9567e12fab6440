import type { Step } from '../../engine/resource.js'
import { isMap } from '../../engine/json.js'
import { discoveryTag } from '../../karpenter/names.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { field, listField, textField, type Manifest } from '../../kubernetes/manifest.js'
import { decided } from '../../kubernetes/view.js'
import type { AwaitByName } from '../../kubernetes/waits-together.js'
import { lookAgain } from '../look-again.js'

/** Ids of what new nodes are to have. */
interface Selection {
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
}

/** What carries our tag for this cluster. */
export interface Tagged extends Selection {
  readonly clusterName: string
}

/** Milliseconds. Karpenter keeps what it found for a minute, which from 1.14 on its settings can make longer. */
const longest = 180_000
const lookEvery = 10_000

const lists = [
  { of: 'subnets', terms: 'subnetSelectorTerms', title: 'subnets' },
  { of: 'securityGroups', terms: 'securityGroupSelectorTerms', title: 'security groups' }
] as const

/** What an EC2NodeClass is to find, as far as its terms say it: by ids, and by our tag. */
function selectionOf(object: unknown, tagged: Tagged): Selection {
  const of = ({ of: list, terms }: (typeof lists)[number]): readonly string[] =>
    listField(object, 'spec', terms).flatMap((term) => {
      const id = textField(term, 'id')
      if (id !== undefined) return [id]
      const tags = field(term, 'tags')
      const ours = isMap(tags) && Object.keys(tags).length === 1 && tags[discoveryTag] === tagged.clusterName
      return ours && textField(term, 'name') === undefined ? tagged[list] : []
    })
  return { subnets: of(lists[0]), securityGroups: of(lists[1]) }
}

/** An EC2NodeClass of whose status no more is kept than is looked at: it lists all that is found, hundreds in a large VPC. */
export function withSelected(object: Manifest, tagged: Tagged): Manifest {
  const status = field(object, 'status')
  if (!isMap(status)) return object
  const wanted = selectionOf(object, tagged)
  const selected = lists.flatMap(({ of }) => {
    if (!Array.isArray(status[of])) return []
    const found = new Set(listField(status, of).map((one) => textField(one, 'id')))
    return [[of, wanted[of].filter((id) => found.has(id)).map((id) => ({ id }))]]
  })
  return { ...object, status: { conditions: status['conditions'], ...Object.fromEntries(selected) } }
}

/** `security groups sg-2`: what it has not found; undefined where it has all, or Karpenter has said nothing yet. */
function lackingIn(object: unknown, tagged: Tagged): string | undefined {
  const wanted = selectionOf(object, tagged)
  const lacking = lists.flatMap(({ of, title }) => {
    if (!Array.isArray(field(object, 'status', of))) return []
    const found = new Set(listField(object, 'status', of).map((one) => textField(one, 'id')))
    const ids = wanted[of].filter((id) => !found.has(id))
    return ids.length === 0 ? [] : [`${title} ${ids.join(', ')}`]
  })
  return lacking.length === 0 ? undefined : lacking.join(' and ')
}

/**
 * Waits until the status of an EC2NodeClass, by which instances are launched, has all that it is to find. A tag that is set
 * is no change of the object: Karpenter finds it when it looks again, which is within a minute or when the object changes,
 * and by what EC2 said up to a minute before (1.2.1 to 1.15.2: pkg/controllers/nodeclass, pkg/cache).
 * `object`: as it was seen last.
 */
export async function awaitSelection(
  kubernetes: Kubernetes,
  byName: AwaitByName,
  { object, tagged }: { readonly object: Manifest; readonly tagged: Tagged },
  step: Step
): Promise<void> {
  if (lackingIn(object, tagged) === undefined) return
  const { name } = object.metadata
  const since = step.now()
  let looked = since
  await lookAgain(kubernetes, name, step)
  try {
    const lacking = await byName(name, step.signal, (now) => {
      const still = lackingIn(now, tagged)
      if (now === undefined || still === undefined) return decided(undefined)
      if (step.now() - since >= longest) return decided(still)
      if (step.now() - looked >= lookEvery) {
        looked = step.now()
        // An end of the run, or a server in trouble, is the wait's own to tell.
        lookAgain(kubernetes, name, step).catch(() => undefined)
      }
      step.waiting(`EC2NodeClass ${name}: Karpenter to find ${still}, which it looks for once a minute`)
      return undefined
    })
    if (lacking === undefined) return
    step.warning(
      `EC2NodeClass ${name}: Karpenter has not found ${lacking} within ${longest / 60_000} minutes, and makes nodes without: see its conditions, and that the controller may call ec2:DescribeSubnets and ec2:DescribeSecurityGroups`
    )
  } finally {
    step.waiting(undefined)
  }
}
