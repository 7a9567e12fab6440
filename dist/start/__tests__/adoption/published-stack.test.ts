import { stackNames } from '../../src/adoption/published-stack.js'

const facts = {
  asked: 'Karpenter-blue',
  clusterName: 'blue',
  deployment: { metadata: { labels: { 'app.kubernetes.io/name': 'karpenter' } } },
  nodeRole: { tags: {} }
}

test('the stack is looked for under the name that is asked for', () => {
  expect(stackNames(facts)).toEqual(['Karpenter-blue'])
})

test('a tag of the node role leads to its stack', () => {
  const nodeRole = { tags: { 'aws:cloudformation:stack-name': 'platform' } }
  expect(stackNames({ ...facts, nodeRole })).toEqual(['platform', 'Karpenter-blue'])
  expect(stackNames({ ...facts, asked: 'platform', nodeRole })).toEqual(['platform'])
})

test('a controller that kubectl datadog installed has its policies in the stack of its name', () => {
  const labels = { 'autoscaling.datadoghq.com/installed-by': 'kubectl-datadog' }
  expect(stackNames({ ...facts, deployment: { metadata: { labels } } })).toEqual([
    'dd-karpenter-blue-karpenter',
    'Karpenter-blue'
  ])
})
