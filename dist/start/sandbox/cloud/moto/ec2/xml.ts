import { randomUUID } from 'node:crypto'
import { isRecord } from '../../input.js'
import { RawReply } from '../../service.js'
import { escapeXml } from '../../wire/xml.js'

/** An answer of the EC2 protocol: lists as <item>, members named as EC2 writes them (lower case first). */
export function ec2Reply(action: string, output: Readonly<Record<string, unknown>>): RawReply {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${written({ requestId: randomUUID(), ...output })}</${action}Response>`
  return new RawReply(200, { 'content-type': 'text/xml;charset=UTF-8' }, body)
}

function written(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `<item>${written(item)}</item>`).join('')
  if (isRecord(value)) {
    return Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => `<${name}>${written(member)}</${name}>`)
      .join('')
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? escapeXml(String(value))
    : ''
}
