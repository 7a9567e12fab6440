import { expect } from '@jest/globals'
import { policyAllows } from '../sandbox/cloud/authorisation.js'
import type { AskedQuestion, Fault } from '../sandbox/cloud/service.js'
import type { ActionResult, RunOptions, Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { errorOf } from './failed-run.js'
import { callsOf, documentOf, reportOf } from './scenario.js'

export type Statement = Readonly<Record<string, unknown>>

/** What the runs asked IAM, by the run, each question once. */
const asked = new Map<string, { readonly run: string; readonly question: AskedQuestion }>()

function remember(sandbox: Sandbox, run: string): void {
  for (const question of callsOf(sandbox).flatMap((call) => call.asked)) {
    const { action, resource, context } = question
    const key = JSON.stringify([action, resource, { ...context, 'aws:CurrentTime': '', 'aws:EpochTime': '' }])
    if (!asked.has(key)) asked.set(key, { run, question })
  }
}

/** Only preflight looks by these; a run does without (e2e/preflight*.test.ts). */
const optional = [
  'CheckOwnPermissions',
  'StackValidation',
  'PinnedImages',
  'NodePoolImagesAndTypes',
  'NodeClassRoles',
  'VpcEndpoints',
  'FargateProfiles'
]

export function required(statements: readonly Statement[]): readonly Statement[] {
  return statements.filter((statement) => !optional.includes(String(statement['Sid'])))
}

/** The policy that the deployer holds when a sandbox starts: the published one. */
export function published(sandbox: Sandbox): readonly Statement[] {
  const document = documentOf(sandbox.cloud.iam.role('karpenter-deployer').inline['install'])
  return list(record(document)['Statement']).map(record)
}

export function hold(sandbox: Sandbox, statements: readonly Statement[]): void {
  const { roles } = sandbox.cloud.iam
  const role = sandbox.cloud.iam.role('karpenter-deployer')
  roles.set(role.name, {
    ...role,
    inline: { install: JSON.stringify({ Version: '2012-10-17', Statement: statements }) }
  })
}

export async function run(
  sandbox: Sandbox,
  name: string,
  inputs: Readonly<Record<string, string>>,
  options: RunOptions & { readonly faults?: readonly Fault[] } = {}
): Promise<ActionResult> {
  const { faults = [], ...rest } = options
  sandbox.cloud.clearCalls()
  sandbox.cloud.setFaults(faults)
  const result = await sandbox.run(inputs, rest)
  sandbox.cloud.setFaults([])
  remember(sandbox, name)
  return result
}

/** An installation whose stack fails, and that may not undo what it has made. */
export async function leaveRemains(
  sandbox: Sandbox,
  lacking: string,
  inputs: Readonly<Record<string, string>>,
  faults: readonly Fault[]
): Promise<void> {
  const statements = published(sandbox)
  hold(sandbox, without(statements, lacking))
  const result = await run(sandbox, `remains without ${lacking}`, inputs, { faults })
  hold(sandbox, statements)
  expect(errorOf(result)).toContain('ROLLBACK_FAILED')
}

/**
 * Where the role may simulate its own policies, the run ends before the denial that is to be seen; and reading any role is
 * more than a run needs.
 */
export function without(statements: readonly Statement[], lacking: string): readonly Statement[] {
  return required(statements).filter(({ Sid }) => Sid !== lacking)
}

/** The run ends in an error of its own that names the action, not in a crash. */
export function refused(sandbox: Sandbox, result: ActionResult, missing: string, or = missing): void {
  const error = errorOf(result)
  const named = error.includes(or) ? or : missing
  expect(error).toContain(named)
  expect(error).toContain('docs/permissions')
  expect(result.log).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
  const questions = callsOf(sandbox)
    .filter(({ outcome }) => /Denied|Unauthorized/.test(outcome))
    .map((call) => call.asked.at(-1)?.action)
  expect(questions).toContain(named)
}

/** Ids of the resources that a run changed. */
export function repairedIn(result: ActionResult): readonly unknown[] {
  return list(reportOf(result)['resources'])
    .map(record)
    .filter((one) => one['result'] === 'applied')
    .map(({ id }) => id)
}

/** `StackNodeRole iam:UpdateRole` of each action of a statement that no run was allowed by it alone. */
export function idleActions(
  statements: readonly Statement[],
  questions: readonly AskedQuestion[] = [...asked.values()].map(({ question }) => question)
): readonly string[] {
  return statements.flatMap((statement) =>
    [statement['Action']]
      .flat()
      .map(String)
      .filter((action) => !needed(statements, statement, action, questions))
      .map((action) => `${String(statement['Sid'])} ${action}`)
  )
}

/** Whether this action was asked for where nothing but this statement allows it. */
function needed(
  statements: readonly Statement[],
  statement: Statement,
  action: string,
  questions: readonly AskedQuestion[]
): boolean {
  const rest = statements.map((one) =>
    one === statement ? { ...one, Action: [one['Action']].flat().filter((each) => each !== action) } : one
  )
  const allowedBy = (some: readonly Statement[], question: AskedQuestion): boolean =>
    policyAllows({ Version: '2012-10-17', Statement: some.filter(hasActions) }, question)
  return questions.some(
    (question) => question.action === action && allowedBy(statements, question) && !allowedBy(rest, question)
  )
}

/** IAM takes no statement without an action. */
function hasActions(statement: Statement): boolean {
  return [statement['Action']].flat().length > 0
}

/** Without one action of one statement. */
export function withoutAction(
  statements: readonly Statement[],
  sid: string,
  action: string
): readonly Statement[] {
  return statements.flatMap((statement) => {
    if (statement['Sid'] !== sid) return [statement]
    const rest = [statement['Action']].flat().filter((one) => one !== action)
    return rest.length === 0 ? [] : [{ ...statement, Action: rest }]
  })
}
