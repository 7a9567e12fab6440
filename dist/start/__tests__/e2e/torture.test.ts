import { drawn, lineOf, pointsOf } from '../../e2e/torture/point.js'

it('a point is each moment of each write, and of those of helm once more with helm left alone', () => {
  const points = pointsOf(['iam CreateRole', 'POST /api/v1/namespaces/karpenter/secrets'])
  expect(points.map((point) => lineOf({ name: 'install' }, point))).toEqual([
    'install 1 before',
    'install 1 after',
    'install 2 before',
    'install 2 after',
    'install 2 before orphan',
    'install 2 after orphan'
  ])
})

it('the order follows from the seed, and has every point once', () => {
  const all = Array.from({ length: 50 }, (_, index) => index)
  expect(drawn(all, 7)).toEqual(drawn(all, 7))
  expect(drawn(all, 7)).not.toEqual(drawn(all, 8))
  expect(drawn(all, 7).toSorted((a, b) => a - b)).toEqual(all)
})
