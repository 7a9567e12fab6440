import { stripVTControlCharacters } from 'node:util'

/**
 * Signs that are not seen, or that change how what stands beside them is seen: controls, and the ones that turn the
 * direction of writing (Unicode 17, Bidi_Control), of no width, and the byte order mark.
 */
const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** Text from outside with nothing in it that is not seen: colours are gone, the rest is shown as its code, `\u202e`. */
export function visible(text: string): string {
  return stripVTControlCharacters(text).replaceAll(
    unseen,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/** The same on one line. */
export function oneLine(text: string): string {
  return visible(text.replaceAll(/\r\n?|[\n\v\f\u0085\u2028\u2029]/g, ' ')).replaceAll('\t', ' ')
}
