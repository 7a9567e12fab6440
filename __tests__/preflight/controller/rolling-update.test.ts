import { rollingUpdate, type RollingUpdateFacts } from '../../../src/preflight/controller/rolling-update.js'

const found = async (values: RollingUpdateFacts['values'], installed: string | undefined = '1.2.1') =>
  rollingUpdate({ version: '1.14.0', installed, values }).run()

const strategy = (maxUnavailable: unknown) => ({ rollingUpdate: { maxUnavailable } })

describe('rolling-update', () => {
  it.each([
    [{ replicas: 1 }],
    [{ replicas: 2, strategy: strategy('100%') }],
    [{ replicas: 2, strategy: strategy(2) }],
    [{ replicas: 2, strategy: { type: 'Recreate' } }]
  ])('warns that no controller runs meanwhile with %j', async (values) => {
    const [finding, ...more] = await found(values)
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
  ])('has nothing to say with %j', async (values) => {
    expect(await found(values)).toEqual([])
  })

  it('has nothing to say where the version stays, or none runs', async () => {
    expect(await found({ replicas: 1 }, '1.14.0')).toEqual([])
    expect(
      await rollingUpdate({ version: '1.14.0', installed: undefined, values: { replicas: 1 } }).run()
    ).toEqual([])
  })
})
