import { oneLine, visible } from '../../src/engine/plain-text.js'

it.each([
  ['a colour', '\u001b[31mred\u001b[0m', 'red'],
  ['a bell', 'a\u0007b', 'a\\u0007b'],
  ['a direction of writing', 'a\u202eb', 'a\\u202eb'],
  ['signs of no width', '\u200b\u2066x\ufeff', '\\u200b\\u2066x\\ufeff'],
  ['lines and tabs', 'a\n\tb', 'a\n\tb'],
  ['other writing', 'Ünïcödé 漢字', 'Ünïcödé 漢字']
])('visible shows %s', (_what, text, shown) => {
  expect(visible(text)).toBe(shown)
})

it('oneLine makes a space of every end of a line and of tabs', () => {
  expect(oneLine('a\nb\r\nc\rd\u2028e\vf\tg\th')).toBe('a b c d e f g h')
  expect(oneLine('a\n\u202eb')).toBe('a \\u202eb')
})
