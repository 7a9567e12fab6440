import { goConstant } from '../../src/karpenter/go-constants.js'

const group = `package version

const (
	// MaxK8sVersion = "1.99" is only said here.
	MinK8sVersion = "1.26" // and "1.0"
	MaxK8sVersion = "1.37"
)

func f() { MaxK8sVersion := "1.1"; _ = MaxK8sVersion }
`

describe('goConstant', () => {
  it('reads a constant of a group, and one by itself', () => {
    expect([goConstant(group, 'MinK8sVersion'), goConstant(group, 'MaxK8sVersion')]).toEqual(['1.26', '1.37'])
    expect(goConstant('const EC2NodeClassHashVersion = "v6"\n', 'EC2NodeClassHashVersion')).toBe('v6')
    expect(goConstant('const A string = "x // y"\n', 'A')).toBe('x // y')
  })

  it.each([
    ['another name that begins with it', 'const HashVersionOld = "v5"\n'],
    ['a variable', 'var Hash = "v5"\n'],
    ['a comment', '/*\nconst Hash = "v5"\n*/\n// const Hash = "v5"\n'],
    ['a raw string', 'const Doc = `\nconst Hash = "v5"\n`\n'],
    ['an expression', 'const Hash = "v" + "5"\n'],
    ['a function call', 'const (\n\tHash = version("v5")\n)\n'],
    ['a field tag', 'type T struct {\n\tHash string `hash:"ignore"`\n}\n'],
    ['two declarations', 'const Hash = "v5"\nconst Hash = "v6"\n'],
    ['a local constant', 'func f() {\n\tconst Hash = "v5"\n}\n'],
    ['a page of HTML', '<html><body>const Hash = "v5"</body></html>'],
    ['nothing', '']
  ])('takes %s for none', (_what, source) => {
    expect(goConstant(source, 'Hash')).toBeUndefined()
  })
})
