import { readOneYaml, readYaml, templateIn, YamlProblem } from '../../src/engine/yaml.js'

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
    ['+1', 1],
    ['1.', 1],
    ['-1.25', -1.25],
    ['+.5e1', 5],
    ['1E-3', 0.001],
    ['1e+3', 1000],
    ['1_000.5_0', 1000.5],
    ['-017', -15],
    ['+017', 15],
    ['-0x0', 0],
    ['0X1f', 31],
    ['0x01', 1],
    ['-0B11', -3],
    ['0_17', 15],
    ['00', 0],
    ['09.5', 9.5],
    ['0x', '0x'],
    ['0b2', '0b2'],
    ['0x1.8', '0x1.8'],
    ['1.2.3', '1.2.3'],
    ['12abc', '12abc'],
    ['a12', 'a12'],
    ['10.0.0.0/16', '10.0.0.0/16'],
    ['1e', '1e'],
    ['e1', 'e1'],
    ['.', '.'],
    ['!!int 7', 7],
    ['!!float 7', 7],
    ['!!bool on', true],
    ['!!binary IyEvYmluL3No', '#!/bin/sh']
  ])('reads %s as kubectl does', (text, value) => {
    expect(readOneYaml(`a: ${text}`)).toEqual({ a: value })
  })

  it('merges what is merged by <<', () => {
    expect(
      readOneYaml('a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne:\n  <<: [*x, {z: 1}]\na: 5\n1: x\nyes: z\n')
    ).toEqual({ a: 5, d: { b: 1, c: 3 }, e: { b: 1, c: 2, z: 1 }, '1': 'x', true: 'z' })
  })

  it.each([
    ['y Y yes Yes YES true True TRUE on On ON', true],
    ['n N no No NO false False FALSE off Off OFF', false]
  ])('reads each of %s as %s', (words, value) => {
    for (const word of words.split(' ')) expect(readOneYaml(word)).toBe(value)
  })

  it.each(['a: !!int x', 'a: !!float x', 'a: !!float "1 "', 'a: !!bool maybe'])(
    'does not read %s',
    (text) => {
      expect(() => readOneYaml(text)).toThrow('explicit tag')
    }
  )

  it('says where each document begins, whatever it is and whatever stands before it', () => {
    const text = '# x\n\n- a\n---\ntext\n---\n\n"q"\n---\n# c\nb: 2\n---\n|\n x\n---\n&a {}\n'
    expect(readYaml(text).map(({ line }) => line)).toEqual([3, 5, 8, 11, 14, 16])
  })

  it('of which the last of a key that is there twice counts', () => {
    expect(readOneYaml('a: 1\na: 2')).toEqual({ a: 2 })
  })

  it('is not shown as what is wrong alone, but with the error that it came of', () => {
    let said: unknown
    try {
      readOneYaml('{{ .Values.x }}: [')
    } catch (error) {
      said = error instanceof YamlProblem ? error.cause : undefined
    }
    expect(said).toBeInstanceOf(Error)
  })

  it('of nothing but null is nothing', () => {
    expect(readOneYaml('~')).toBeUndefined()
  })

  it('of comments alone is nothing', () => {
    expect(readYaml('# - rolearn: x\n')).toEqual([])
    expect(readOneYaml('# nothing\n')).toBeUndefined()
  })

  it.each([
    ['a: 1\nb: [', 2],
    ['\n\na: *b', 3],
    ['a: 1\n---\n\nb: 1', 4],
    ['a: &a [*a]', undefined]
  ])('says in which line %j is none', (text, line) => {
    let said: unknown
    try {
      readOneYaml(text)
    } catch (error) {
      said = error
    }
    expect(said).toBeInstanceOf(YamlProblem)
    expect(said).toMatchObject({ line })
  })

  it('is not read where it is longer than anything that an API takes, and says so', () => {
    expect(() => readYaml('x'.repeat(2_000_001))).toThrow(
      'it has 2000001 characters, more than the 2000000 that are read'
    )
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

describe('templateIn', () => {
  it.each([
    ...['{{ .Values.x }}', '{{- .Release.Name -}}', '{{.Chart.Name}}', '{{ $x }}', '{{ include "x" . }}'],
    ...['{{ toYaml .x }}', '{{- end }}', '{{ if x }}', '{{ range .x }}', '{{ with .x }}', '{{ tpl .x . }}'],
    ...[
      '{{ default 1 .Values.x }}',
      '{{ .Capabilities.KubeVersion }}',
      '{{ .Files.Get "x" }}',
      '{{ define "x" }}'
    ]
  ])('%s is of Helm', (text) => {
    expect(templateIn(`a: ${text} b`)).toMatch('it is a Helm template')
  })

  it.each([
    ...['%{ for x in y }', '%{if x}', '%{~ if x ~}', '%{ else }', '%{ endfor ~}', '%{ endif }'],
    ...[
      '${module.x}',
      '${ var.x }',
      '${local.x}',
      '${data.x.y}',
      '${each.key}',
      '${path.module}',
      '${self.id}'
    ],
    ...[
      '${count.index}',
      '${terraform.workspace}',
      '${aws_iam_role.x.arn}',
      '${var["x"]}',
      '${jsonencode(x)}'
    ]
  ])('%s is of Terraform', (text) => {
    expect(templateIn(`a: ${text} b`)).toMatch('it is a Terraform template')
  })

  it.each([
    ...['{{ role }}', '{ .Values.x }', '{{ .x }} .Values.y {{ .z }}', '{{ dividend }}', '${CLUSTER_NAME}'],
    ...['${x}', '%{x}', '${variable.x}', '100%', '${ Fn(x) }', '{{ enduser }}', '{{ .ValuesX }}']
  ])('%s is of neither', (text) => {
    expect(templateIn(text)).toBeUndefined()
  })
})

describe('what stands round the YAML', () => {
  it.each([
    ['kubectl apply -f - <<EOF\na: [\nEOF', 'a shell command'],
    ['  tee x.yaml <<-"EOF"\na: [\nEOF', 'a shell command'],
    ["cat << 'EOF' > x\na: [\nEOF", 'a shell command'],
    ['cat <<\\EOF\na: [', 'a shell command'],
    ['# first\n```\na: [', 'a Markdown block'],
    ['a: [ # `x` ```', 'unexpected end'],
    ['concat: [ # <<EOF', 'unexpected end'],
    ['x cat <<EOF: [', 'unexpected end'],
    ['a: [ # {% x %', 'unexpected end'],
    ['a: [ # {{ x }', 'unexpected end']
  ])('of %j is told: %s', (text, told) => {
    expect(() => readOneYaml(text)).toThrow(told)
  })
})
