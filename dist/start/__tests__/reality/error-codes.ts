/**
 * Codes that no service model has, as AWS documents them.
 *
 * EC2's model names no error of any operation: "Error codes for the Amazon EC2 API",
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, client error codes; all of them are answered with a
 * 400-series status, and in the page's example of an answer with 400.
 */
export const ec2Codes: ReadonlySet<string> = new Set([
  'InvalidAMIID.Malformed',
  'InvalidAMIID.NotFound',
  'InvalidAMIID.Unavailable',
  'InvalidInstanceID.Malformed',
  'InvalidInstanceID.NotFound',
  'InvalidLaunchTemplateId.Malformed',
  'InvalidLaunchTemplateId.NotFound',
  'InvalidLaunchTemplateName.NotFoundException',
  'InvalidNetworkInterface.InUse',
  'InvalidNetworkInterfaceID.NotFound',
  'InvalidSubnetID.Malformed',
  'InvalidSubnetID.NotFound',
  'InvalidVolume.NotFound',
  'RequestExpired',
  'RequestLimitExceeded',
  'UnauthorizedOperation'
])

/** Codes that any operation of a service may answer with, each with its source. */
export const commonCodes: Readonly<Record<string, string>> = {
  AccessDenied:
    'IAM, STS and CloudFormation: common errors of the API references (AccessDeniedException elsewhere)',
  ExpiredToken:
    'common errors of the API references: the security token included in the request is expired (ExpiredTokenException)',
  RequestExpired: 'common errors of the API references: more than fifteen minutes after the date stamp',
  Validation: 'common errors of the API references: ValidationError, ValidationException'
}
