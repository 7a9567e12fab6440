import fc from 'fast-check'
import { madeByHelm } from '../../src/kubernetes/noise.js'
import { operationsToPutBack } from '../../src/kubernetes/put-back.js'
import { controller, deployment, entry, object } from './manifests.js'

describe('what puts an object back', () => {
  test('keeps what was injected and what an autoscaler set, and is refused when the object has changed', () => {
    const wanted = deployment({ replicas: 2, template: { spec: { containers: [controller] } } })
    const live = deployment(
      {
        replicas: 5,
        template: {
          spec: {
            containers: [
              { name: 'proxy' },
              { name: 'side' },
              {
                ...controller,
                image: 'evil',
                env: [{ name: 'INJECTED' }, { name: 'A', value: '1' }, { name: 'B' }]
              }
            ]
          }
        }
      },
      [
        entry('keda-operator', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' }),
        entry('kubectl-edit', {
          'f:spec': {
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"side"}': { '.': {} },
                  'k:{"name":"controller"}': { 'f:image': {}, 'f:env': { 'k:{"name":"B"}': { '.': {} } } }
                }
              }
            }
          }
        })
      ]
    )
    const read = { ...live, metadata: { ...live.metadata, resourceVersion: '7' } }
    expect(operationsToPutBack(wanted, read, madeByHelm())).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      {
        op: 'add',
        path: '/spec',
        value: {
          replicas: 5,
          template: {
            spec: {
              containers: [
                { name: 'proxy' },
                { ...controller, env: [{ name: 'INJECTED' }, { name: 'A', value: '1' }] }
              ]
            }
          }
        }
      }
    ])
  })

  test('is nothing for an object as wanted, whatever the server added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue()), (spec) => {
        const live = object('X', { spec: { ...spec, added: 1 } })
        return operationsToPutBack(object('X', { spec }), live, madeByHelm()).length === 0
      })
    )
  })
})
