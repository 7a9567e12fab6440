import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { ClientRequest } from 'node:http'
import { isMap } from '../engine/json.js'

const channel = 'http.client.request.created'

/**
 * Resolves when the first HTTP request that is made from now on has been handed to the operating system, whoever makes it.
 * Where there may be none, something else has to be waited for beside it. Source: Node 24, diagnostics_channel, and 'finish'
 * of http.ClientRequest.
 */
export async function firstRequestSent(): Promise<void> {
  return new Promise((resolve) => {
    const created = (message: unknown): void => {
      const request = isMap(message) ? message['request'] : undefined
      if (!(request instanceof ClientRequest)) return
      unsubscribe(channel, created)
      request.once('finish', resolve)
    }
    subscribe(channel, created)
  })
}
