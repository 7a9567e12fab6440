import { statementsOf } from '../../src/aws/policy/statements.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { templateDifferences } from '../../src/karpenter/template-differences.js'
import { adaptTemplate } from '../../src/karpenter/template.js'
import { newestTested } from '../../src/karpenter/tested-versions.js'
import { withStatementsOf } from '../../src/plan/stack-template.js'

const settings = {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  account: { id: '111122223333', partition: 'aws' as const, region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
}
const adaptation = {
  clusterName: 'blue',
  nodeRoleName: 'KarpenterNodeRole-blue',
  nodeRolePolicies: [],
  permissionsBoundary: undefined
}
const builtIn = builtInTemplateText(newestTested)
const actionsOf = (text: string): ReadonlySet<string> =>
  new Set(
    renderTemplate(text, settings).policies.flatMap(({ document }) =>
      statementsOf(document).flatMap((statement) => [statement['Action']].flat().map(String))
    )
  )
const over = (live: string): string =>
  withStatementsOf(builtIn, { template: live, parameters: { ClusterName: 'blue' } }, { settings, adaptation })

describe('the built-in template for a version that is newer than the table', () => {
  /** As a later version may publish it: an action more in one policy, and one policy more. */
  const later = builtIn
    .replaceAll('ec2:DescribeSubnets', 'ec2:DescribeSubnets",\n          "ec2:NewInNinetyNine')
    .replaceAll('ZonalShift', 'Other')

  it('keeps every action that the stack allows', () => {
    expect(actionsOf(later)).toContain('ec2:NewInNinetyNine')
    expect(actionsOf(builtIn)).not.toContain('ec2:NewInNinetyNine')
    const kept = actionsOf(over(later))
    expect([...actionsOf(later), ...actionsOf(builtIn)].filter((action) => !kept.has(action))).toEqual([])
  })

  it('keeps them as well where nodes have had the role of somebody else, so that the stack has none', () => {
    const others = { nodeRoleArn: 'arn:aws:iam::111122223333:role/theirs' }
    const kept = actionsOf(over(adaptTemplate(later, { ...adaptation, others })))
    expect([...actionsOf(later)].filter((action) => !kept.has(action))).toEqual([])
  })

  it('has the policies that the stack has besides among its own, so that they stay attached', () => {
    const names = renderTemplate(over(later), settings).policies.map(({ name }) => name)
    expect(names).toContain('KarpenterControllerOtherPolicy-blue')
  })

  it('loses nothing of a policy that has another name there', () => {
    const renamed = builtIn
      .replaceAll('KarpenterControllerZonalShiftPolicy', 'KarpenterControllerZonePolicy')
      .replaceAll('arc-zonal-shift:GetManagedResource', 'arc-zonal-shift:NewInNinetyNine')
    expect(actionsOf(over(renamed))).toContain('arc-zonal-shift:NewInNinetyNine')
  })

  it('comes to the same a second time', () => {
    const once = over(later)
    expect(templateDifferences(over(once), once)).toEqual([])
  })

  it('is itself where there is no stack, and where that has nothing besides', () => {
    expect(withStatementsOf(builtIn, undefined, { settings, adaptation })).toBe(builtIn)
    expect(over('')).toBe(builtIn)
    expect(over(builtIn)).toBe(builtIn)
    expect(templateDifferences(over(builtInTemplateText('1.12.0')), builtIn)).not.toContain(
      'KarpenterNodeRole'
    )
  })

  it('leaves the stack as it is where a policy has no room for both', () => {
    const many = Array.from({ length: 170 }, (_, at) => `"ec2:ActionOfALaterVersion${at}"`).join(', ')
    const full = builtIn.replaceAll('"ec2:DescribeSubnets"', many)
    expect(full).not.toBe(builtIn)
    expect(over(full)).toBe(full)
  })
})
