// What is used of the client; dist/ gets no more of it.
export {
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeSubnets
} from '@aws-sdk/client-ec2'
