// What is used of the client; dist/ gets no more of it.
export { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm'
