import { AwsError, type Service } from '../service.js'

/** The price list, empty: Karpenter then goes by the prices that it was built with. */
export function pricing(): Service {
  return {
    name: 'pricing',
    protocol: 'json',
    questions: async ({ action }) => [{ action: `pricing:${action}`, resource: '*' }],
    async answer({ action }) {
      if (action === 'GetProducts') return { FormatVersion: 'aws_v1', PriceList: [] }
      throw new AwsError('UnknownOperationException', `pricing: ${action} is not to be had in the sandbox`)
    }
  }
}
