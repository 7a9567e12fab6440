import { withoutEncoded } from '../../aws/denials.js'
import { isMap } from '../../engine/json.js'

/** What the controller says when it ends at its start, and what that asks for (Karpenter 1.0 to 1.14). */
const causes: readonly { readonly said: RegExp; readonly fix: string }[] = [
  {
    said: /No OpenIDConnect provider found|InvalidIdentityToken/,
    fix: "IAM has no OIDC provider for this cluster's issuer, or it lacks the audience sts.amazonaws.com: run install again, which makes it."
  },
  {
    said: /Not authorized to perform sts:AssumeRoleWithWebIdentity|AssumeRoleWithWebIdentity.*AccessDenied/s,
    fix: "The controller role's trust policy does not name this namespace and service account: run install again with the namespace the controller is in, or correct the condition on <issuer>:sub."
  },
  {
    said: /no valid providers|failed to refresh cached credentials|no EC2 IMDS role found/,
    fix: 'The pod got no credentials: with Pod Identity the add-on eks-pod-identity-agent must run on its node (not on Fargate) and the association must name its service account; otherwise give controller-identity: irsa.'
  },
  {
    said: /GetRegion|ec2imds/,
    fix: 'The pod does not know its region: add controller.env with AWS_REGION in helm-values.'
  },
  {
    said: /NonExistentQueue|specified queue does not exist/i,
    fix: 'The interruption queue does not exist: interruption-queue must be the name of a queue in this account and region, not its ARN or URL; leave it out for the one of the stack, or give none.'
  },
  {
    said: /parsing feature gates/,
    fix: 'A feature gate has no value: give settings.featureGates in helm-values for this version; chart 1.8.0 is broken, 1.8.1 is not.'
  },
  { said: /missing field, cluster-name/, fix: 'settings.clusterName is empty: take it out of helm-values.' },
  {
    said: /UnauthorizedOperation|AccessDenied|is not authorized to perform/,
    fix: "The controller role lacks a permission that the message names: its policies are older than the controller, or a permissions boundary or an organisation's policy denies it."
  },
  {
    said: /no matches for kind|could not find the requested resource/,
    fix: 'The CRDs are not those of this version: run install again, which applies them before the chart.'
  },
  {
    said: /i\/o timeout|no such host|connection refused|ec2 api connectivity check failed/,
    fix: 'The pod does not reach AWS: check NAT or VPC endpoints (ec2, sts, ssm, sqs, eks) and DNS; without in-cluster DNS give dnsPolicy: Default in helm-values.'
  },
  { said: /OOMKilled/, fix: 'Give the controller more memory: controller.resources in helm-values.' }
]

/** What to do about a controller that ended with these last lines. */
export function controllerFix(log: string): string {
  return (
    causes.find(({ said }) => said.test(log))?.fix ??
    'Correct what the log names, in helm-values or in AWS, and run again: kubectl logs --previous shows all of it.'
  )
}

/** Lines of the log that an error shows, and characters of each. */
const shownLines = 8
const shownCharacters = 700

/** The end of a controller's log for an error: JSON lines as `LEVEL message: error`, a long one without its middle. */
export function lastWords(log: string): string {
  return log
    .split('\n')
    .slice(-shownLines)
    .map((line) => `  ${shortened(withoutEncoded(spoken(line)))}`)
    .join('\n')
}

function spoken(line: string): string {
  try {
    const entry: unknown = JSON.parse(line)
    if (!isMap(entry) || typeof entry['message'] !== 'string') return line
    const { level, message, error } = entry
    return [typeof level === 'string' ? `${level} ${message}` : message, error]
      .filter((part) => typeof part === 'string' && part !== '')
      .join(': ')
  } catch {
    // A panic and its stack are plain text.
    return line
  }
}

/** An error of AWS's SDK has the cause at its end. */
function shortened(line: string): string {
  if (line.length <= shownCharacters) return line
  const start = Math.floor(shownCharacters / 3)
  return `${line.slice(0, start)} ... ${line.slice(line.length - (shownCharacters - start))}`
}
