import { setDocument, usersOfPolicy } from '../../src/aws/managed-policy.js'
import { listAssociations, readAssociation } from '../../src/aws/pod-identity-association.js'
import { awsWith, recordedStep } from './stand-in.js'

const PolicyArn = 'arn:aws:iam::111122223333:policy/blue'
const account = { clusterName: 'blue', namespace: 'karpenter', serviceAccount: 'karpenter' }

/** Answers the first page, then the last one. */
function pages(first: object, last: object): () => object {
  let asked = 0
  return () => (asked++ === 0 ? first : last)
}

// A page may be empty, or shorter than asked for, and not the last (IAM API reference, IsTruncated; EKS, nextToken).
describe('What AWS lists in pages', () => {
  it('of those that use a policy is read to the end', async () => {
    const { aws, close } = await awsWith({
      ListEntitiesForPolicy: pages(
        { IsTruncated: true, Marker: 'more', PolicyRoles: [] },
        { IsTruncated: false, PolicyRoles: [{ RoleName: 'other', RoleId: 'AROA' }] }
      )
    })
    expect(await usersOfPolicy(aws, PolicyArn)).toEqual(['role other'])
    await close()
  })

  it('of the versions of a policy is read to the end, so that the fifth makes room', async () => {
    const version = (number: number) => ({
      VersionId: `v${number}`,
      IsDefaultVersion: number === 5,
      CreateDate: '2026-01-01T00:00:00Z'
    })
    const deleted: unknown[] = []
    const { aws, close } = await awsWith({
      ListPolicyVersions: pages(
        { IsTruncated: true, Marker: 'more', Versions: [5, 4, 3].map(version) },
        { IsTruncated: false, Versions: [2, 1].map(version) }
      ),
      GetPolicyVersion: () => ({ PolicyVersion: { ...version(1), Document: '%7B%7D' } }),
      DeletePolicyVersion: (input) => void deleted.push(input['VersionId']),
      CreatePolicyVersion: () => ({ PolicyVersion: version(6) })
    })
    const put = await setDocument(aws, { title: 'IAM policy blue', arn: PolicyArn }, {}, recordedStep())
    expect(put).toEqual({ versionId: 'v1', document: '{}' })
    expect(deleted).toEqual(['v1'])
    await close()
  })

  it('of associations is read to the end, the first page being empty', async () => {
    const list = () =>
      pages({ associations: [], nextToken: 'more' }, { associations: [{ associationId: 'a-1' }] })
    const first = await awsWith({
      ListPodIdentityAssociations: list(),
      DescribePodIdentityAssociation: () => ({ association: { associationId: 'a-1', roleArn: 'arn:r' } })
    })
    expect(await readAssociation(first.aws, account)).toMatchObject({
      associationId: 'a-1',
      roleArn: 'arn:r'
    })
    await first.close()
    const second = await awsWith({ ListPodIdentityAssociations: list() })
    expect(await listAssociations(second.aws, { clusterName: 'blue' })).toEqual([{ associationId: 'a-1' }])
    await second.close()
  })
})
