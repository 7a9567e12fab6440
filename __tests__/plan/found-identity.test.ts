import { type FoundIdentity, foundIdentity } from '../../src/plan/found-identity.js'
import { awsWith, type Handlers, Refusal } from '../aws/stand-in.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { checkedOf } from '../preflight/checked.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`
const associated: Handlers = {
  ListPodIdentityAssociations: () => ({ associations: [{ associationId: 'a-1' }] }),
  DescribePodIdentityAssociation: () => ({
    association: { associationId: 'a-1', roleArn: role('associated') }
  })
}
const free: Handlers = { ListPodIdentityAssociations: () => ({ associations: [] }) }

/** Of service account own in namespace system, which may have an annotation. */
async function found(
  handlers: Handlers,
  annotations: Readonly<Record<string, string>>
): Promise<FoundIdentity | undefined> {
  server.put('/api/v1/namespaces/system/serviceaccounts/own', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: 'system', annotations }
  })
  const { aws, close } = await awsWith(handlers)
  try {
    const of = checkedOf({ aws, kubernetes: server.kubernetes }).found
    return await foundIdentity(of, 'system', 'own')
  } finally {
    await close()
  }
}

const annotated = { 'eks.amazonaws.com/role-arn': role('annotated') }

test.each<[string, Handlers, Readonly<Record<string, string>>, FoundIdentity | undefined]>([
  ['by its association', associated, {}, { strategy: 'pod-identity', roleArn: role('associated') }],
  [
    'by its association first',
    associated,
    annotated,
    { strategy: 'pod-identity', roleArn: role('associated') }
  ],
  ['by its annotation', free, annotated, { strategy: 'irsa', roleArn: role('annotated') }],
  ['by neither', free, {}, undefined],
  ['by an annotation of nothing: not at all', free, { 'eks.amazonaws.com/role-arn': '' }, undefined]
])('pods of a service account get their role %s', async (_how, handlers, annotations, identity) => {
  expect(await found(handlers, annotations)).toEqual(identity)
})

test('where EKS may not be asked, it is said of which service account', async () => {
  const denied: Handlers = {
    ListPodIdentityAssociations: () => {
      throw new Refusal(
        'AccessDeniedException',
        'User: x is not authorized to perform: eks:ListPodIdentityAssociations',
        403
      )
    }
  }
  await expect(found(denied, annotated)).rejects.toThrow(
    'controller-identity: the role of service account system/own could not be read'
  )
})
