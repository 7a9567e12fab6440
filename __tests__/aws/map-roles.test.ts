import fc from 'fast-check'
import { dump, load } from 'js-yaml'
import {
  mappingState,
  nodeMapping,
  parseMapRoles,
  withMapping,
  withoutMapping
} from '../../src/aws/map-roles.js'
import { UserError } from '../../src/engine/errors.js'

const mapping = nodeMapping('arn:aws:iam::111122223333:role/KarpenterNodeRole-blue')
const existing = `# made by eksctl
- groups:
  - system:bootstrappers
  - system:nodes
  rolearn: arn:aws:iam::111122223333:role/node-group   # first
  username: system:node:{{EC2PrivateDNSName}}
`

describe("A line in aws-auth's mapRoles", () => {
  it("is without the role's path, which aws-iam-authenticator does not see", () => {
    expect(nodeMapping('arn:aws:iam::111122223333:role/platform/nodes/of-blue').rolearn).toBe(
      'arn:aws:iam::111122223333:role/of-blue'
    )
  })

  it('is appended, and every byte before it stays', () => {
    const text = withMapping(existing, mapping)
    expect(text.startsWith(existing)).toBe(true)
    expect(load(text)).toEqual([...parseMapRoles(existing), mapping])
  })

  it('follows the indentation of an indented list without a last line break', () => {
    const indented = '  - rolearn: arn:aws:iam::1:role/a\n    username: a\n    groups: [system:masters]'
    const text = withMapping(indented, mapping)
    expect(text.startsWith(`${indented}\n  - rolearn:`)).toBe(true)
    expect(load(text)).toHaveLength(2)
  })

  it.each([`---\n${existing}...\n`, `${existing}... # of terraform\n`, existing.replaceAll('\n', '\r\n')])(
    'comes before the end mark of its document, and goes without a trace: %j',
    (text) => {
      const changed = withMapping(text, mapping)
      expect(parseMapRoles(changed)).toEqual([...parseMapRoles(text), mapping])
      expect(withoutMapping(changed, mapping)).toBe(text)
    }
  )

  it.each([
    '',
    '[]',
    '  \n',
    '~\n',
    'null # none\n',
    '[{rolearn: "arn:aws:iam::1:role/a", username: a, groups: [g]}]'
  ])('is added to %j', (text) => {
    expect(parseMapRoles(withMapping(text, mapping))).toEqual([...parseMapRoles(text), mapping])
  })

  it('is left alone when it is there, in whatever case', () => {
    const text = dump([{ ...mapping, rolearn: mapping.rolearn.toLowerCase() }])
    expect(withMapping(text, mapping)).toBe(text)
  })

  it('that lacks a group is corrected, and the other lines stay', () => {
    const text = dump([...parseMapRoles(existing), { ...mapping, groups: ['system:nodes', 'own'] }])
    expect(mappingState(parseMapRoles(text), mapping)).toEqual({
      state: 'different',
      index: 1,
      lacks: ['system:bootstrappers'],
      surplus: []
    })
    expect(parseMapRoles(withMapping(text, mapping))).toEqual([
      ...parseMapRoles(existing),
      { ...mapping, groups: ['system:nodes', 'own', 'system:bootstrappers'] }
    ])
  })

  it('that gives nodes more is corrected where the role is for them alone', () => {
    const groups = [...mapping.groups, 'eks:kube-proxy-windows', 'system:masters']
    const text = dump([{ ...mapping, groups }])
    expect(withMapping(text, mapping)).toBe(text)
    expect(mappingState(parseMapRoles(text), mapping, true)).toMatchObject({ surplus: ['system:masters'] })
    expect(parseMapRoles(withMapping(text, mapping, true))).toEqual([
      { ...mapping, groups: [...mapping.groups, 'eks:kube-proxy-windows'] }
    ])
  })

  /** Anchors, merge keys, comments, brackets: what a writer of YAML would lose. */
  const anchored = `# of the platform team
- &node
  rolearn: arn:aws:iam::111122223333:role/a
  username: system:node:{{EC2PrivateDNSName}}
  groups: [system:bootstrappers, system:nodes]  # both
# ours
- rolearn: ${mapping.rolearn}
  username: wrong
  groups:
  - own
  note: "kept"

# the next
-
  <<: *node
  rolearn: arn:aws:iam::111122223333:role/b
`

  it('that is wrong is corrected, and no other line is touched', () => {
    expect(withMapping(anchored, mapping)).toBe(
      anchored.replace(
        / {2}username: wrong[^]*"kept"\n/,
        `  username: ${JSON.stringify(mapping.username).slice(1, -1)}
  groups:
  - "own"
  - system:bootstrappers
  - system:nodes
  note: "kept"
`
      )
    )
  })

  it('goes alone, in whatever place and form it stands', () => {
    expect(withoutMapping(anchored, mapping)).toBe(
      anchored.replace(/- rolearn: arn:aws:iam::111122223333:role\/KarpenterNodeRole-blue[^]*"kept"\n/, '')
    )
    const [a, b] = ['{rolearn: "arn:aws:iam::1:role/a,b", groups: [g]}', '{rolearn: b, username: "]"}']
    const ours = JSON.stringify(mapping)
    expect(withoutMapping(`[${a}, ${ours}, ${b}] # c\n`, mapping)).toBe(`[${a}, ${b}] # c\n`)
    expect(withoutMapping(`[${ours}, ${b}]`, mapping)).toBe(`[${b}]`)
    expect(withoutMapping(`[ ${a}, ${ours} ]`, mapping)).toBe(`[ ${a} ]`)
    expect(withoutMapping(`[${ours}]`, mapping)).toBe('[]')
    expect(withMapping(`[ ${a} ] # c\n`, mapping)).toBe(`[ ${a}, ${ours} ] # c\n`)
  })

  it('is added to a list of comments alone, which is an empty one', () => {
    const text = '# - rolearn: arn:aws:iam::1:role/old\n#   username: x\n'
    expect(parseMapRoles(text)).toEqual([])
    const added = withMapping(text, mapping)
    expect(added.startsWith(`${text}- rolearn: ${mapping.rolearn}\n`)).toBe(true)
    expect(withoutMapping(added, mapping)).toBe(text)
  })

  it('that others refer to is left, with what to do by hand', () => {
    const text = `- &ours\n  rolearn: ${mapping.rolearn}\n  username: wrong\n- <<: *ours\n  rolearn: b\n`
    expect(() => withoutMapping(text, mapping)).toThrow(
      'ConfigMap kube-system/aws-auth: mapRoles is written in a way that cannot be edited without rewriting the lines of others'
    )
  })

  it.each(['- a: [', 'rolearn: x', 'text'])('is not added to what is no list: %j', (text) => {
    expect(() => withMapping(text, mapping)).toThrow(UserError)
    expect(() => withMapping(text, mapping)).toThrow(
      /^ConfigMap kube-system\/aws-auth: mapRoles cannot be read/
    )
  })

  it('comes and goes without a trace, whatever other lines there are', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/)
    const line = fc.record({
      rolearn: name.map((role) => `arn:aws:iam::111122223333:role/${role}`),
      username: name,
      groups: fc.array(name, { maxLength: 3 })
    })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), fc.nat(4), (lines, indent) => {
        const text = lines.length === 0 ? '' : dump(lines).replace(/^/gm, ' '.repeat(indent)).trimEnd() + '\n'
        const added = withMapping(text, mapping)
        expect(added.startsWith(text)).toBe(true)
        expect(parseMapRoles(added)).toEqual([...lines, mapping])
        expect(withoutMapping(added, mapping)).toBe(text)
      })
    )
  })
})
