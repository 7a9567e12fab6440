import type { Values } from '../../../src/helm/values.js'
import { rollingUpdate } from '../../../src/preflight/controller/rolling-update.js'

const found = (values: Values, installed: string | undefined = '1.2.1') =>
  rollingUpdate({ version: '1.14.0', installed, values })

const strategy = (maxUnavailable: unknown) => ({ rollingUpdate: { maxUnavailable } })

describe('rolling-update', () => {
  it.each([
    [{ replicas: 1 }],
    [{ replicas: 2, strategy: strategy('100%') }],
    [{ replicas: 2, strategy: strategy(2) }],
    [{ replicas: 2, strategy: { type: 'Recreate' } }]
  ])('warns that no controller runs meanwhile with %j', (values) => {
    const [finding, ...more] = found(values)
    expect(more).toEqual([])
    expect(finding).toMatchObject({ level: 'warning', subject: 'helm-values' })
    expect(finding?.problem).toMatch(/^no controller runs while 1\.14\.0 starts in place of 1\.2\.1/)
    expect(finding?.evidence).toContain(`replicas: ${values.replicas}`)
    expect(finding?.fix).toContain('maxUnavailable: 0')
  })

  it.each([
    [{}],
    [{ replicas: 3 }],
    [{ replicas: 1, strategy: strategy(0) }],
    [{ replicas: 1, strategy: strategy('50%') }],
    [{ replicas: 0 }]
  ])('has nothing to say with %j', (values) => {
    expect(found(values)).toEqual([])
  })

  it('has nothing to say where the version stays, or none runs', () => {
    expect(found({ replicas: 1 }, '1.14.0')).toEqual([])
    expect(rollingUpdate({ version: '1.14.0', installed: undefined, values: { replicas: 1 } })).toEqual([])
  })
})
