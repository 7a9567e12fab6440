import { readOneYaml, readYaml, YamlProblem } from '../../src/engine/yaml.js'

describe('YAML', () => {
  // Each as sigs.k8s.io/yaml 1.6.0 reads it.
  it.each<[string, unknown]>([
    ['yes', true],
    ['no', false],
    ['on', true],
    ['Off', false],
    ['y', true],
    ['oN', 'oN'],
    ['"yes"', 'yes'],
    ['!!str yes', 'yes'],
    ['~', null],
    ['0123', 83],
    ['08', 8],
    ['0o17', 15],
    ['0o9', '0o9'],
    ['0x1F', 31],
    ['-0x10', -16],
    ['0b11', 3],
    ['1_000', 1000],
    ['1e3', 1000],
    ['.5', 0.5],
    ['-0', 0],
    ['1:20', '1:20'],
    ['2001-01-01', '2001-01-01'],
    ['1E400', '1E400'],
    ['_1', '_1'],
    ['=', '='],
    ['!!binary IyEvYmluL3No', '#!/bin/sh']
  ])('reads %s as kubectl does', (text, value) => {
    expect(readOneYaml(`a: ${text}`)).toEqual({ a: value })
  })

  it('merges what is merged by <<', () => {
    expect(
      readOneYaml('a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne:\n  <<: [*x, {z: 1}]\na: 5\n1: x\nyes: z\n')
    ).toEqual({ a: 5, d: { b: 1, c: 3 }, e: { b: 1, c: 2, z: 1 }, '1': 'x', true: 'z' })
  })

  it('of comments alone is nothing', () => {
    expect(readYaml('# - rolearn: x\n')).toEqual([])
    expect(readOneYaml('# nothing\n')).toBeUndefined()
  })

  it.each([
    ['a: {{ .Values.x }}', 'it is a Helm template: give what `helm template` prints of it'],
    [
      '{{- if .Values.x }}\na: b\n{{- end }}',
      'it is a Helm template: give what `helm template` prints of it'
    ],
    ['%{ for x in y ~}\na: b\n%{ endfor ~}', 'it is a Terraform template: give what Terraform renders of it'],
    ['a: {{ role }}', expect.stringContaining('it is a template (Jinja, Ansible or the like)')],
    ['{% if x %}\na: b\n{% endif %}', expect.stringContaining('it is a template (Jinja')],
    [
      'cat <<EOF | kubectl apply -f -\na: b\nEOF\n',
      expect.stringContaining('a shell command stands round it')
    ],
    ['```yaml\na: b\n```\n', expect.stringContaining('the marks of a Markdown block')],
    ['a: [', expect.stringContaining('unexpected end')],
    ['a: 1\n---\nb: 1', 'it has 2 documents, not one']
  ])('says what %j is', (text, problem) => {
    let said: unknown
    try {
      readOneYaml(text)
    } catch (error) {
      said = error instanceof YamlProblem ? error.message : undefined
    }
    expect(said).toEqual(problem)
  })
})
