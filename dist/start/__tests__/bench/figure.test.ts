import { figureLine, isWithin, median } from '../../bench/figure.js'

const figure = { name: 'Memory', value: 120.26, limit: 150, unit: 'MB' }

describe('a figure of the bench', () => {
  it('is within its limit up to the limit itself', () => {
    expect(isWithin({ ...figure, value: 150 })).toBe(true)
    expect(isWithin({ ...figure, value: 150.1 })).toBe(false)
  })

  it('is not within its limit when it could not be measured', () => {
    expect(isWithin({ ...figure, value: Number.NaN })).toBe(false)
  })

  it('is one line with value, limit, verdict and detail', () => {
    expect(figureLine(figure)).toBe('ok      Memory: 120.3 MB (at most 150 MB)')
    expect(figureLine({ name: 'Requests', value: 71, limit: 70, unit: '', detail: 'ec2 9' })).toBe(
      'NOT OK  Requests: 71 (at most 70); ec2 9'
    )
  })
})

describe('the median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[100, 2, 10], 10]
  ])('of %p is %p', (values, middle) => {
    expect(median(values)).toBe(middle)
  })
})
