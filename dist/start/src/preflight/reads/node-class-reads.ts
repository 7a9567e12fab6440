import type { Filter } from '@aws-sdk/client-ec2'
import type { Aws } from '../../aws/clients.js'
import { accessDenied, awsProblem, codeOf, isNotFound } from '../../aws/errors.js'
import { readRole } from '../../aws/iam-role.js'
import type { SelectorTerm } from '../../karpenter/types.js'

export interface NodeRole {
  readonly arn: string
  /** Its trust policy names EC2. */
  readonly ofEc2: boolean
  /** Its trust policy names CloudFormation. */
  readonly ofCloudFormation: boolean
}

/** iam:GetRole, and whether EC2 may take the role. China has two names for EC2. */
export function nodeRole(aws: Aws): (name: string) => Promise<NodeRole | 'absent' | 'denied'> {
  return async (name) => {
    try {
      const { arn, trust } = await readRole(aws, name)
      const trusted = decodeURIComponent(trust)
      return {
        arn,
        ofEc2: /"ec2\.amazonaws\.com(\.cn)?"/.test(trusted),
        ofCloudFormation: trusted.includes('"cloudformation.amazonaws.com"')
      }
    } catch (error) {
      return absentOrDenied(error, `role ${name}`)
    }
  }
}

export interface InstanceProfile {
  /** Of the role in it; undefined when it has none. */
  readonly roleArn: string | undefined
}

/** iam:GetInstanceProfile. */
export function instanceProfile(aws: Aws): (name: string) => Promise<InstanceProfile | 'absent' | 'denied'> {
  return async (name) => {
    const { GetInstanceProfileCommand } = await import('../../aws/sdk/iam.js')
    const iam = await aws.iam()
    try {
      const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: name }))
      return { roleArn: InstanceProfile?.Roles?.[0]?.Arn }
    } catch (error) {
      return absentOrDenied(error, `instance profile ${name}`)
    }
  }
}

function absentOrDenied(error: unknown, what: string): 'absent' | 'denied' {
  if (isNotFound(error)) return 'absent'
  if (accessDenied(error) !== undefined) return 'denied'
  throw awsProblem('node-pools', `${what} could not be read`, error)
}

/** A term of amiSelectorTerms that finds images by what they are: an id, or name, owner and tags together. */
export interface ImageTerm {
  readonly id?: string
  readonly name?: string
  readonly owner?: string
  readonly tags?: Readonly<Record<string, string>>
}

/**
 * ec2:DescribeImages, asked as Karpenter asks (pkg/providers/amifamily/ami.go, 1.2.1 to 1.14.0): by name only images of
 * this account and of Amazon, unless the term names an owner.
 */
export function anyImage(aws: Aws): (term: ImageTerm) => Promise<boolean | 'denied'> {
  return async (term) => {
    const { id, name, owner } = term
    const { paginateDescribeImages } = await import('../../aws/sdk/ec2.js')
    const owners = owner !== undefined ? [owner] : name === undefined ? [] : ['self', 'amazon']
    try {
      const pages = paginateDescribeImages(
        { client: await aws.ec2() },
        {
          Filters: [{ Name: 'state', Values: ['available'] }, ...filtersOf('images', term)],
          ...(id === undefined && owners.length > 0 && { Owners: owners })
        }
      )
      for await (const { Images = [] } of pages) if (Images.length > 0) return true
      return false
    } catch (error) {
      if (accessDenied(error) !== undefined) return 'denied'
      if (codeOf(error)?.startsWith('InvalidAMIID') === true) return false
      throw awsProblem('node-pools', 'images of amiSelectorTerms could not be read', error)
    }
  }
}

export interface Zone {
  readonly name: string
  readonly id: string | undefined
}

export interface SubnetFound {
  readonly id: string
  readonly zone: Zone
}

/** Subnets that a term of an EC2NodeClass finds in this account and region. */
export function subnetsByTerm(aws: Aws): (term: SelectorTerm) => Promise<readonly SubnetFound[]> {
  return async (term) => {
    const { paginateDescribeSubnets } = await import('../../aws/sdk/ec2.js')
    const found: SubnetFound[] = []
    try {
      const pages = paginateDescribeSubnets(
        { client: await aws.ec2() },
        { Filters: filtersOf('subnets', term) }
      )
      for await (const { Subnets = [] } of pages) {
        found.push(
          ...Subnets.map(({ SubnetId = '', AvailabilityZone = '', AvailabilityZoneId }) => ({
            id: SubnetId,
            zone: { name: AvailabilityZone, id: AvailabilityZoneId }
          }))
        )
      }
    } catch (error) {
      throw awsProblem('subnets', 'could not be read', error)
    }
    return found
  }
}

/** Ids of the security groups that a term of an EC2NodeClass finds in this account and region. */
export function securityGroupsByTerm(aws: Aws): (term: SelectorTerm) => Promise<readonly string[]> {
  return async (term) => {
    const { DescribeSecurityGroupsCommand } = await import('../../aws/sdk/ec2.js')
    const ec2 = await aws.ec2()
    try {
      const { SecurityGroups = [] } = await ec2.send(
        new DescribeSecurityGroupsCommand({ Filters: filtersOf('security-groups', term) })
      )
      return SecurityGroups.map((group) => group.GroupId ?? '')
    } catch (error) {
      throw awsProblem('security-groups', 'could not be read', error)
    }
  }
}

const names = {
  subnets: { id: 'subnet-id', name: 'tag:Name' },
  'security-groups': { id: 'group-id', name: 'group-name' },
  images: { id: 'image-id', name: 'name' }
} as const

/** As Karpenter asks EC2: a tag with `*` or nothing for a value need only be there. */
function filtersOf(kind: 'subnets' | 'security-groups' | 'images', term: SelectorTerm): Filter[] {
  if (term.id !== undefined) return [{ Name: names[kind].id, Values: [term.id] }]
  return [
    ...(term.name === undefined ? [] : [{ Name: names[kind].name, Values: [term.name] }]),
    ...Object.entries(term.tags ?? {}).map(([key, value]) =>
      value === '*' || value === ''
        ? { Name: 'tag-key', Values: [key] }
        : { Name: `tag:${key}`, Values: [value] }
    )
  ]
}
