import type { AwsError, Protocol } from '../service.js'
import { RawReply } from '../service.js'
import { toJson } from './json.js'
import { escapeXml, toXml } from './xml.js'

const namespaces: Readonly<Record<string, string>> = {
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
  cloudformation: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
  ec2: 'http://ec2.amazonaws.com/doc/2016-11-15/'
}

/** What a reply is written for. */
export interface Asked {
  readonly protocol: Protocol
  readonly service: string
  readonly action: string
  readonly requestId: string
  /** The content type of a JSON request: the answer's is the same. */
  readonly contentType: string | undefined
}

export function outputReply(asked: Asked, output: Readonly<Record<string, unknown>>): RawReply {
  switch (asked.protocol) {
    case 'query':
    case 'ec2': {
      const { action, requestId } = asked
      const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
      const body = `<${action}Result>${toXml(output)}</${action}Result>${metadata}`
      return xmlReply(
        200,
        asked,
        `<${action}Response xmlns="${namespaces[asked.service] ?? ''}">${body}</${action}Response>`
      )
    }
    case 'json':
    case 'rest-json':
      return jsonReply(200, asked, toJson(output), {})
  }
}

export function errorReply(asked: Asked, error: AwsError): RawReply {
  const code = `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>`
  switch (asked.protocol) {
    case 'query': {
      const type = error.status >= 500 ? 'Receiver' : 'Sender'
      const detail = `<Error><Type>${type}</Type>${code}</Error><RequestId>${asked.requestId}</RequestId>`
      const namespace = namespaces[asked.service] ?? ''
      return xmlReply(error.status, asked, `<ErrorResponse xmlns="${namespace}">${detail}</ErrorResponse>`)
    }
    case 'ec2':
      return xmlReply(
        error.status,
        asked,
        `<Response><Errors><Error>${code}</Error></Errors><RequestID>${asked.requestId}</RequestID></Response>`
      )
    case 'json':
      return jsonReply(error.status, asked, toJson({ __type: error.code, message: error.message }), {})
    case 'rest-json':
      return jsonReply(error.status, asked, toJson({ message: error.message }), {
        'x-amzn-errortype': error.code
      })
  }
}

function xmlReply(status: number, asked: Asked, body: string): RawReply {
  return new RawReply(
    status,
    { 'content-type': 'text/xml', 'x-amzn-requestid': asked.requestId },
    `<?xml version="1.0" encoding="UTF-8"?>\n${body}`
  )
}

function jsonReply(
  status: number,
  asked: Asked,
  body: string,
  headers: Readonly<Record<string, string>>
): RawReply {
  const contentType =
    asked.protocol === 'json' ? (asked.contentType ?? 'application/x-amz-json-1.1') : 'application/json'
  return new RawReply(
    status,
    { 'content-type': contentType, 'x-amzn-requestid': asked.requestId, ...headers },
    body
  )
}
