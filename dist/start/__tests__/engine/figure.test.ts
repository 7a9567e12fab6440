import { figure } from '../../src/engine/figure.js'

it.each([0, 7, 999, 1000, 6144, 10_240, 51_200, 999_999, 1_000_000, 1_234_567_890])(
  'a figure is grouped as in English text: %d',
  (value) => {
    expect(figure(value)).toBe(value.toLocaleString('en-US'))
  }
)
