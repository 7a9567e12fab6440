// What is used of the client; dist/ gets no more of it.
export { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs'
