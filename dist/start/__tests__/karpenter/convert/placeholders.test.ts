import { replacePlaceholders } from '../../../src/karpenter/convert/placeholders.js'
import { replaceInScript } from '../../../src/karpenter/convert/user-data.js'

const known = { CLUSTER_NAME: 'blue', ALIAS_VERSION: 'latest' }

function read(value: unknown): { value: unknown; problems: string[]; warnings: string[] } {
  const [problems, warnings]: [string[], string[]] = [[], []]
  const findings = {
    problem: (text: string): void => void problems.push(text),
    warn: (text: string): void => void warnings.push(text)
  }
  return { value: replacePlaceholders(value, known, findings), problems, warnings }
}

describe('A placeholder', () => {
  it.each([
    ['KarpenterNodeRole-${CLUSTER_NAME}', 'KarpenterNodeRole-blue'],
    ['$CLUSTER_NAME', 'blue'],
    ['${CLUSTER_NAME:-green}', 'blue'],
    ['<<CLUSTER_NAME>>', 'blue'],
    ['<CLUSTER_NAME>', 'blue'],
    ['<cluster-name>', 'blue'],
    ['al2023@${ALIAS_VERSION}', 'al2023@latest']
  ])('%s is replaced', (text, value) => {
    expect(read({ a: text })).toEqual({
      value: { a: value },
      problems: [],
      warnings: [expect.stringContaining("as the guide's shell would have done")]
    })
  })

  it.each([
    ['${module.eks.cluster_name}', 'it is a Terraform template: give what Terraform renders of it'],
    ['${jsonencode(var.types)}', 'it is a Terraform template: give what Terraform renders of it'],
    ['{{ .Values.cluster }}', 'it is a Helm template: give what `helm template` prints of it'],
    ['${X:-y}', 'has ${X:-y}, which nothing replaces here'],
    ['${WHO}', 'has ${WHO}, which nothing replaces here'],
    ['role-$WHO', 'has $WHO, which nothing replaces here'],
    ['<<NODE_ROLE>>', 'has <<NODE_ROLE>>, which nothing replaces here'],
    ['KarpenterNodeRole-<cluster>', 'has <cluster>, which nothing replaces here'],
    ['<myCluster>', 'has <myCluster>, which nothing replaces here'],
    ['<node-role>', 'has <node-role>, which nothing replaces here'],
    ['{{ cluster_name }}', 'has {{ cluster_name }}, which nothing replaces here'],
    ['{{.name}}-x', 'has {{.name}}, which nothing replaces here'],
    ['${{ env.CLUSTER_NAME }}', 'has ${{ env.CLUSTER_NAME }}, which nothing replaces here'],
    ['$(CLUSTER_NAME)', 'has $(CLUSTER_NAME), which nothing replaces here'],
    ['$${CLUSTER_NAME}', 'has $${CLUSTER_NAME}, which nothing replaces here'],
    ['#{Cluster.Name}#', 'has #{Cluster.Name}#, which nothing replaces here'],
    ['__CLUSTER_NAME__', 'has __CLUSTER_NAME__, which nothing replaces here'],
    ['%CLUSTER%', 'has %CLUSTER%, which nothing replaces here'],
    ['@@CLUSTER@@', 'has @@CLUSTER@@, which nothing replaces here'],
    ['<path:secret/data/eks#role>', 'has <path:secret/data/eks#role>, which nothing replaces here'],
    ['$cluster_name', 'has $cluster_name, which nothing replaces here']
  ])('%s is a problem', (text, problem) => {
    expect(read({ a: [text] })).toEqual({
      value: { a: [text] },
      problems: [expect.stringContaining(problem)],
      warnings: []
    })
  })

  it.each([
    '$USD 100',
    'costs $5',
    'a < b',
    'EOF << b',
    'owner: <a-team> of us',
    '@daily',
    '100%',
    'team@example.com',
    '__init__',
    '#1'
  ])('%s is text', (text) => {
    expect(read({ tags: { note: text } })).toEqual({
      value: { tags: { note: text } },
      problems: [],
      warnings: []
    })
  })

  it('of an annotation is for whoever reads that', () => {
    const annotations = { 'example.com/message': '{{ .app.metadata.name }} of ${WHO}' }
    expect(read({ metadata: { annotations } })).toEqual({
      value: { metadata: { annotations } },
      problems: [],
      warnings: []
    })
  })
})

describe('userData', () => {
  it("has the guide's names replaced, and the script's own variables kept", () => {
    const script = [
      '#!/bin/bash',
      'TOKEN=$(curl -s http://169.254.169.254/latest/api/token)',
      '/etc/eks/bootstrap.sh ${CLUSTER_NAME} --x "$TOKEN" ${HOME}',
      'echo \\$CLUSTER_NAME ${#TOKEN} ${TOKEN%%-*}',
      'awk \'{print $NF}\' "$1"'
    ].join('\n')
    expect(replaceInScript(script, known)).toEqual({
      text: script.replace('${CLUSTER_NAME}', 'blue'),
      replaced: [{ placeholder: '${CLUSTER_NAME}', value: 'blue' }],
      unknown: []
    })
  })

  it('keeps a name that it sets itself', () => {
    const script = 'CLUSTER_NAME=$(cat /name)\n/etc/eks/bootstrap.sh $CLUSTER_NAME'
    expect(replaceInScript(script, known)).toEqual({ text: script, replaced: [], unknown: [] })
  })

  it('of PowerShell has variables in its own way', () => {
    const script =
      '<powershell>\n[string]$Script = "$env:ProgramFiles\\x.ps1"\n& $Script -EKSClusterName $CLUSTER_NAME\n</powershell>'
    expect(replaceInScript(script, known)).toEqual({
      text: script.replace('$CLUSTER_NAME', 'blue'),
      replaced: [{ placeholder: '$CLUSTER_NAME', value: 'blue' }],
      unknown: []
    })
  })

  it('with names that nothing sets is warned of', () => {
    expect(read({ spec: { userData: 'a={{ .Values.b }}' } }).warnings).toEqual([
      'userData: it is a Helm template: give what `helm template` prints of it'
    ])
    const userData = '/etc/eks/bootstrap.sh ${CLUSTER} <<NODE_LABELS>> ${module.eks.cluster_name} ${X:-y}\n'
    expect(read({ spec: { userData } })).toEqual({
      value: { spec: { userData } },
      problems: [],
      warnings: [
        expect.stringContaining('userData has ${CLUSTER}, <<NODE_LABELS>>, ${module.eks.cluster_name}, which')
      ]
    })
  })
})
