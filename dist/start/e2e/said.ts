import type { ActionResult, Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { at, find, listed, paths, reportOf, tagsOf } from './scenario.js'

/** Something that stands, by the title that the report has for it and the words in which it is named when it is left. */
interface Standing {
  readonly isTitle: (title: string) => boolean
  readonly named: string
}

/**
 * What stands of an installation and an uninstall called gone: read past the action from the account and the cluster, and
 * in neither `kept` nor `leftovers` of its report.
 */
export async function calledGone(sandbox: Sandbox, result: ActionResult): Promise<readonly string[]> {
  const removal = record(reportOf(result)['removal'])
  const titles = list(removal['proof']).map((one) => text(at(one, 'what')) ?? '')
  const said = JSON.stringify([removal['kept'], removal['leftovers']])
  const standing = [...(await inCluster(sandbox)), ...(await inAccount(sandbox))]
  return standing
    .filter(({ isTitle }) => titles.some((one) => isTitle(one)))
    .filter(({ named }) => !said.includes(named))
    .map(({ named }) => named)
}

async function inCluster(sandbox: Sandbox): Promise<readonly Standing[]> {
  const kinds = [
    { path: paths.crds, kind: 'CRD', isTitle: starting('CRDs of ') },
    { path: paths.flowSchemas, kind: 'FlowSchema', isTitle: starting('FlowSchemas of ') },
    { path: paths.nodePools, kind: 'NodePool', isTitle: being('NodePool') },
    { path: paths.nodeClasses, kind: 'EC2NodeClass', isTitle: being('EC2NodeClass') },
    { path: '/api/v1/namespaces', kind: 'Namespace', isTitle: being('Namespace') }
  ]
  const found = await Promise.all(
    kinds.map(async ({ path, kind, isTitle }) =>
      (await listed(sandbox, path))
        .map((object) => text(at(object, 'metadata', 'name')) ?? '')
        .filter((name) => !['CRD', 'FlowSchema'].includes(kind) || isKarpenters(name))
        .map((name): Standing => ({ isTitle: isTitle(name), named: `${kind} ${name}` }))
    )
  )
  const awsAuth = JSON.stringify((await find(sandbox, paths.awsAuth)) ?? {})
  const mapped = sandbox.cloud.iam.roles
    .values()
    .filter(({ arn }) => awsAuth.includes(arn) && /^KarpenterNodeRole/.test(arn.split('/').at(-1) ?? ''))
    .map(({ arn }): Standing => ({
      isTitle: starting('Node access (aws-auth)')(),
      named: `the line of ${arn} in aws-auth`
    }))
  return [...found.flat(), ...mapped]
}

async function inAccount(sandbox: Sandbox): Promise<readonly Standing[]> {
  const { iam, eks } = sandbox.cloud
  const tags = Object.entries({
    ...(await tagsOf(sandbox, 'subnets')),
    ...(await tagsOf(sandbox, 'security groups'))
  })
  return [
    ...tags
      .filter(([, own]) => own['karpenter.sh/discovery'] === sandbox.name)
      .map(([id]): Standing => {
        const title = id.startsWith('subnet-') ? 'Subnet tags' : 'Security group tags'
        return { isTitle: starting(title)(), named: `tag karpenter.sh/discovery on ${id}` }
      }),
    ...iam.roles.values().map(({ name }): Standing => ({
      isTitle: being('Controller role', 'IAM role')(name),
      named: `role ${name}`
    })),
    ...iam.policies
      .values()
      .map(({ name }): Standing => ({ isTitle: being('IAM policy')(name), named: `IAM policy ${name}` })),
    ...iam.oidcProviders
      .values()
      .filter(({ url }) => url.startsWith('oidc.eks.'))
      .map((): Standing => ({ isTitle: starting('IAM OIDC provider')(), named: 'IAM OIDC provider' })),
    ...eks.associations
      .values()
      .filter(({ serviceAccount }) => serviceAccount === 'karpenter')
      .map((): Standing => ({
        isTitle: starting('Pod Identity association')(),
        named: 'Pod Identity association'
      }))
  ]
}

function isKarpenters(name: string): boolean {
  return /^karpenter-|\.karpenter\.(sh|k8s\.aws)$/.test(name)
}

function starting(start: string): () => Standing['isTitle'] {
  return () => (title) => title.startsWith(start)
}

function being(...kinds: readonly string[]): (name: string) => Standing['isTitle'] {
  return (name) => (title) => kinds.some((kind) => title === `${kind} ${name}`)
}
