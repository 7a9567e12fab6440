// What is used of the client; dist/ gets no more of it.
export { EventBridgeClient } from '@aws-sdk/client-eventbridge'
