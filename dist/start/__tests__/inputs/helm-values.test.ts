import type { JsonMap } from '../../src/engine/json.js'
import { values } from '../../src/inputs/values.js'

function read(text: string): { readonly values: JsonMap; readonly problems: readonly string[] } {
  const problems: string[] = []
  const reading = {
    problem: (wrong: string): void => void problems.push(wrong),
    readFile: (path: string): string => {
      throw new Error(path)
    },
    findFiles: () => []
  }
  return { values: values(text, reading), problems }
}

describe('helm-values', () => {
  it('are read as helm reads them', () => {
    const text = 'a: &x {replicas: 1}\nb: {<<: *x, on: yes}\n'
    expect(read(text).values).toEqual({
      a: { replicas: 1 },
      b: { replicas: 1, true: true }
    })
    expect(read('# nothing\n').values).toEqual({})
  })

  it.each([
    ['a: {{ .Values.x }}', 'is not YAML (it is a Helm template: give what `helm template` prints of it)'],
    ['a: "{{ .Values.x }}"', 'it is a Helm template: give what `helm template` prints of it'],
    ['a: [ "${jsonencode(x)}" ]', 'it is a Terraform template: give what Terraform renders of it'],
    ['settings: { clusterName: "${CLUSTER_NAME}" }', 'has ${CLUSTER_NAME}, which nothing replaces here'],
    ['settings: { clusterName: "{{ cluster }}" }', 'has {{ cluster }}, which nothing replaces here'],
    [
      'settings: { clusterName: "${{ env.CLUSTER }}" }',
      'has ${{ env.CLUSTER }}, which nothing replaces here'
    ],
    ['settings: { clusterName: __CLUSTER__ }', 'has __CLUSTER__, which nothing replaces here'],
    ['a: {{ cluster }}', 'is not YAML (it is a template (Jinja, Ansible or the like)'],
    ['serviceAccount: { annotations: { a: "${ROLE_ARN}" } }', 'has ${ROLE_ARN}, which nothing replaces here']
  ])('are refused where they are not filled in: %s', (text, problem) => {
    expect(read(text).problems[0]).toContain(problem)
  })

  it('may have what Kubernetes fills in, and annotations with templates of those who read them', () => {
    const text = `controller: { env: [{ name: A, value: "http://$(HOST):1" }] }
podAnnotations:
  vault.hashicorp.com/agent-inject-template-a: '{{- with secret "a" -}}{{ .Data.b }}{{- end }}'
  ad.datadoghq.com/controller.checks: '{"openmetrics": {"url": "http://%%host%%:8080"}}'
`
    expect(Object.keys(read(text).values)).toEqual(['controller', 'podAnnotations'])
    expect(read(text).problems).toEqual([])
  })
})
