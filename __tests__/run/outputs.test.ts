import { setOutputs } from '../../src/run/outputs.js'

test('what is known is set, in the order of action.yml, and what is not known is left alone', () => {
  const set: (readonly [string, string])[] = []
  setOutputs({ report: '/tmp/report.json', drift: '', 'karpenter-version': '1.14.1' }, (name, value) => {
    set.push([name, value])
  })
  expect(set).toEqual([
    ['karpenter-version', '1.14.1'],
    ['drift', ''],
    ['report', '/tmp/report.json']
  ])
})
