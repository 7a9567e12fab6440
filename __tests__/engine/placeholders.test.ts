import { ofOtherTools } from '../../src/engine/placeholders.js'

it.each([
  '{{ x }}',
  '${{ secrets.X }}',
  '{% if x %}',
  '$${x}',
  '$(SOME_VAR.name-1)',
  '#{X}#',
  '#{some.x-1}',
  '__SOME_2__',
  '%SOME_2%',
  '@SOME_2@',
  '@@SOME@@',
  '<path:secret/data#key>',
  '<vault:x>',
  '<secret:x>'
])('%s is to be filled in, wherever it stands', (text) => {
  expect(ofOtherTools(`a ${text} b`)).toEqual([text])
})

it('names each that a text has', () => {
  expect(ofOtherTools('{{ a }}-{{ b }}')).toEqual(['{{ a }}', '{{ b }}'])
})

it('takes a variable of envsubst for one only where it is all of the text', () => {
  expect(ofOtherTools('$name_1')).toEqual(['$name_1'])
  expect([ofOtherTools('a $name'), ofOtherTools('$name b'), ofOtherTools('$Name')]).toEqual([[], [], []])
})

it.each(['100%', 'a__b__c', '$1', '<b>', 'me@example.com', '{x}', '$()', '#x', '%lower%'])(
  '%s is nothing to be filled in',
  (text) => {
    expect(ofOtherTools(text)).toEqual([])
  }
)
