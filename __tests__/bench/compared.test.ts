import { compared } from '../../bench/versus/compared.js'
import { figureLine } from '../../bench/figure.js'

describe('the action beside the script', () => {
  const script = [
    { install: 80, unchanged: 20 },
    { install: 120, unchanged: 16 }
  ]

  it('is measured by the medians of both, from nothing and again', () => {
    const action = [
      { install: 8, unchanged: 1 },
      { install: 12, unchanged: 2 }
    ]
    expect(compared({ pace: 100, action, script, circumstances: 'far away' }).map(figureLine)).toEqual([
      "ok      Install with 0.1 s a stack resource, times the guide's script: 0.10 (at most 1); action 10.0 s, script 100.0 s; far away",
      "ok      Unchanged second run with 0.1 s a stack resource, times the guide's script: 0.08 (at most 1); action 1.5 s, script 18.0 s; far away"
    ])
  })

  it('is not ok where it takes longer', () => {
    const action = [{ install: 100.5, unchanged: 18 }]
    const lines = compared({ pace: 10_000, action, script, circumstances: '' }).map(figureLine)
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['NOT', 'ok'])
  })
})
