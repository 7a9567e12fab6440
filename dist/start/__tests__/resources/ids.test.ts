import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { idOf, nameIn } from '../../src/resources/ids.js'

const ids = Object.values(idOf).map((one) => (typeof one === 'string' ? one : one('')))

/** Where such a word is no resource's id: by the word, the file and what it is there. */
const otherwise: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  stack: {
    'inputs/table.ts': 'value of interruption-queue',
    'inputs/values.ts': 'value of interruption-queue',
    'adoption/adoption.ts': 'value of interruption-queue',
    'plan/decisions.ts': 'value of interruption-queue',
    'preflight/controller/queue.ts': 'value of interruption-queue'
  },
  namespace: {
    'inputs/table.ts': 'input',
    'adoption/adoption.ts': 'input',
    'modes/smoke-test.ts': 'input',
    'preflight/controller/another-karpenter.ts': 'input'
  },
  crds: {
    'inputs/table.ts': 'input',
    'preflight/left-crds.ts': 'input',
    'resources/controller/crd-refusal.ts': 'input',
    'helm/chart.ts': 'folder of the chart'
  },
  'node-access': {
    'inputs/table.ts': 'input',
    'adoption/adoption.ts': 'input',
    'aws/choices.ts': 'input'
  },
  'controller-role-policies': {
    'inputs/table.ts': 'input',
    'resources/controller/controller-role-policies.ts': 'input'
  },
  'pod-identity-agent': {
    'preflight/catalogue.ts': 'what skip-preflight takes',
    'preflight/controller/identity.ts': 'what skip-preflight takes'
  },
  'policy/': { 'kubernetes/kinds.ts': 'group of an API' },
  'rule/': { 'karpenter/rendered-stack.ts': 'part of an ARN' },
  instances: { 'preflight/reads/network-reads.ts': 'what is read' },
  leftovers: { 'run/outputs.ts': 'output' }
}

/** Ids that are typed in a file, whole or as their beginning; types, fields of objects and parts of ARNs are none. */
function idsTypedIn(file: string): readonly string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return
    const text = ts.isStringLiteralLike(node)
      ? node.text
      : ts.isTemplateExpression(node)
        ? node.head.text
        : undefined
    const id = ids.find((one) => (one.endsWith('/') ? text?.startsWith(one) : text === one))
    if (id !== undefined && !isFieldOrArn(node)) found.push(id)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, readFileSync(join('src', file), 'utf8'), ts.ScriptTarget.Latest, true))
  return found.filter((id) => otherwise[id]?.[file] === undefined)
}

function isFieldOrArn({ parent }: ts.Node): boolean {
  if (ts.isElementAccessExpression(parent)) return true
  const call = ts.isArrayLiteralExpression(parent) ? parent.parent : parent
  const called = ts.isCallExpression(call) ? call.expression.getText() : ''
  return /^(iamArn|textField|field)$/.test(called) || called.endsWith('.startsWith')
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

test('no id of a resource is typed but in ids.ts', () => {
  const typed = files
    .filter((file) => file !== 'resources/ids.ts')
    .flatMap((file) => idsTypedIn(file).map((id) => `${file} types ${id}: idOf of resources/ids.ts has it`))
  expect(typed).toEqual([])
})

test('what is written down as no id is still there', () => {
  const gone = Object.values(otherwise)
    .flatMap((places) => Object.keys(places))
    .filter((file) => !files.includes(file))
  expect(gone).toEqual([])
})

test('each id is one resource alone', () => {
  expect(new Set(ids).size).toBe(ids.length)
})

test('the name in an id is what stands behind its kind, and none in that of another kind', () => {
  expect(nameIn(idOf.nodePool, idOf.nodePool('default'))).toBe('default')
  expect(nameIn(idOf.nodePool, idOf.ec2NodeClass('default'))).toBeUndefined()
  expect(nameIn(idOf.role, idOf.controllerRole)).toBeUndefined()
})
