import { isMap } from '../engine/json.js'
import { textField } from './manifest.js'

/**
 * The kind of what the API server answers as a success; empty where it names none. Throws SyntaxError for what is no such
 * answer: text that was cut off, a proxy's page, a failure that is sent as a success.
 */
export function kindOfAnswer(body: string): string {
  const value: unknown = JSON.parse(body)
  if (!isMap(value)) throw new SyntaxError('it is JSON, and no object')
  if (textField(value, 'status') === 'Failure')
    throw new SyntaxError(`it is a failure that was sent as a success: ${textField(value, 'message') ?? ''}`)
  return textField(value, 'kind') ?? ''
}
