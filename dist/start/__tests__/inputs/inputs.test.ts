import { matchesGlob } from 'node:path'
import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { isMap } from '../../src/engine/json.js'
import { UserError } from '../../src/engine/errors.js'
import { type InputSource, isCombine, parseCombineInputs, parseInputs } from '../../src/inputs/inputs.js'
import { isPublished } from '../../src/helm/signature/published.js'
import { guideNames } from '../../src/karpenter/names.js'
import { table } from '../../src/inputs/table.js'
import { overrides } from '../../src/preflight/catalogue.js'

function defaults(): Record<string, string> {
  const metadata: unknown = load(readFileSync('action.yml', 'utf8'))
  const inputs = isMap(metadata) && isMap(metadata['inputs']) ? metadata['inputs'] : {}
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      isMap(input) && typeof input['default'] === 'string' ? input['default'] : ''
    ])
  )
}

function source(given: Record<string, string>, files: Record<string, string> = {}): InputSource {
  const values: Record<string, string> = {
    ...defaults(),
    'cluster-name': 'blue',
    region: 'eu-west-1',
    ...given
  }
  return {
    get: (name) => {
      const value = values[name]
      if (value === undefined) throw new Error(`input ${name} is not declared in action.yml`)
      return value
    },
    env: {},
    guideNames,
    publishedByAws: isPublished,
    overrides,
    readFile: (path) => {
      const text = files[path]
      if (text === undefined) throw new Error('no such file')
      return text
    },
    findFiles: (glob) => Object.keys(files).filter((path) => matchesGlob(path, glob))
  }
}

function problemsOf(given: Record<string, string>): string[] {
  try {
    parseInputs(source(given))
    return []
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return error.message.split('\n')
  }
}

describe('the table of inputs', () => {
  it("has action.yml's names, order and defaults", () => {
    expect(Object.values(table).map(({ name, standard }) => [name, standard])).toEqual(
      Object.entries(defaults())
    )
  })

  it.each(Object.values(table).map(({ name, standard }) => [name, standard]))(
    'takes %s as its default where it is empty, as an unset variable makes it',
    (name) => {
      const given = source({})
      const needed = ['cluster-name', 'region'].includes(name)
      const empty: InputSource = { ...given, get: (of) => (of === name && !needed ? '' : given.get(of)) }
      expect(parseInputs(empty)).toEqual(parseInputs(given))
    }
  )

  it('says which inputs mean nothing in the mode, and none that was left at its default', () => {
    const others = (given: Record<string, string>): readonly string[] =>
      parseInputs(source(given)).ofOtherModes
    expect(others({})).toEqual([])
    expect(others({ mode: 'check', 'force-drain': 'true', 'fail-on': 'never' })).toEqual([
      'force-drain (uninstall)'
    ])
    expect(others({ mode: 'uninstall', 'smoke-test-replicas': '3', 'smoke-test': 'true' })).toEqual([
      'smoke-test-replicas (install, plan, smoke-test)'
    ])
    expect(others({ mode: 'smoke-test', subnets: 'private' })).toEqual([
      'subnets (install, plan, check, uninstall)'
    ])
  })
})

describe('comment', () => {
  it('needs a token, and the permission that the job gives it', () => {
    expect(() => parseInputs(source({ mode: 'plan', comment: 'true' }))).toThrow(
      /github-token: comment needs it.*`pull-requests: write`/s
    )
    const given = { mode: 'plan', comment: 'true', 'github-token': 'ghs_x' }
    expect(parseInputs(source(given)).plan.commentToken).toBe('ghs_x')
    expect(parseInputs(source({ mode: 'plan', 'github-token': 'ghs_x' })).plan.commentToken).toBeUndefined()
  })
})

describe('the smoke test of a plan', () => {
  it('is the one that the install would make', () => {
    expect(parseInputs(source({ mode: 'plan' })).smokeTest?.replicas).toBe(5)
    expect(parseInputs(source({ mode: 'plan', 'smoke-test': 'false' })).smokeTest).toBeUndefined()
  })
})

describe('preflight', () => {
  it('shows warnings and allows no error unless told otherwise', () => {
    expect(parseInputs(source({})).preflight).toEqual({ warnings: 'warn', allow: [] })
    expect(
      parseInputs(source({ preflight: 'strict', 'preflight-allow': 'permissions, version-pair' })).preflight
    ).toEqual({ warnings: 'strict', allow: ['permissions', 'version-pair'] })
  })

  it('refuses a name that allows nothing and lists those that do', () => {
    expect(problemsOf({ 'preflight-allow': 'auto-mode' })).toEqual([
      expect.stringMatching(
        /^preflight-allow: "auto-mode" is no error that can be allowed; use version-pair, next-major, broken-release, .*permissions.*, comma-separated$/
      )
    ])
  })
})

describe('parseInputs', () => {
  it("takes the guide's names when only the cluster is given", () => {
    const inputs = parseInputs(source({}))
    expect(inputs).toMatchObject({
      mode: 'install',
      namespace: 'karpenter',
      controllerRoleName: 'blue-karpenter',
      nodeRoleName: 'KarpenterNodeRole-blue',
      stackName: 'Karpenter-blue',
      subnets: { kind: 'cluster' },
      smokeTest: { replicas: 5, onePerNode: false, timeoutSeconds: 900 },
      credentials: { kind: 'chain' }
    })
  })

  it('reads every input that action.yml declares, and no other', () => {
    const read = new Set<string>()
    const given = { 'role-to-assume': 'arn:aws:iam::111122223333:role/deploy' }
    const from = source(given, { 'reports/green.json': '{}' })
    const counting: InputSource = { ...from, get: (name) => (read.add(name), from.get(name)) }
    parseInputs(counting)
    parseCombineInputs(counting)
    expect([...read].sort()).toEqual(Object.keys(defaults()).sort())
  })

  it('takes the region from AWS_REGION', () => {
    expect(parseInputs({ ...source({ region: '' }), env: { AWS_REGION: 'us-gov-west-1' } }).region).toBe(
      'us-gov-west-1'
    )
  })

  it('strips a leading v of the version', () => {
    const version = (text: string) => parseInputs(source({ 'karpenter-version': text })).karpenterVersion
    expect(version('')).toBeUndefined()
    expect(version('v1.2.1')).toEqual({ kind: 'exact', version: '1.2.1' })
    expect(version('1.14.1-rc.0')).toEqual({ kind: 'exact', version: '1.14.1-rc.0' })
    expect(version('v1.14')).toEqual({ kind: 'minor', minor: '1.14' })
    expect([version('latest'), version('lts')]).toEqual([{ kind: 'latest' }, { kind: 'lts' }])
  })

  it('lays helm-values over helm-values-file', () => {
    const files = { 'values.yaml': 'replicas: 2\ncontroller:\n  resources: {}\n' }
    const inputs = parseInputs(
      source({ 'helm-values-file': 'values.yaml', 'helm-values': 'replicas: 1' }, files)
    )
    expect(inputs.helmValues).toEqual({ replicas: 1, controller: { resources: {} } })
  })

  it('takes node pools as YAML or from a path', () => {
    expect(
      parseInputs(source({ 'node-pools': 'apiVersion: karpenter.sh/v1\nkind: NodePool\n' })).nodePools
    ).toEqual({
      kind: 'manifests',
      texts: [{ source: 'node-pools', text: 'apiVersion: karpenter.sh/v1\nkind: NodePool\n' }]
    })
    expect(
      parseInputs(source({ 'node-pools': 'pools.yaml' }, { 'pools.yaml': 'kind: NodePool' })).nodePools
    ).toEqual({
      kind: 'manifests',
      texts: [{ source: 'pools.yaml', text: 'kind: NodePool' }]
    })
  })

  it('takes node pools from several paths and globs, each file once', () => {
    const files = { 'k/pool.yaml': 'kind: NodePool', 'k/class.yaml': 'kind: EC2NodeClass', 'k/a.json': '{}' }
    const read = (value: string): unknown => parseInputs(source({ 'node-pools': value }, files)).nodePools
    const texts = [
      { source: 'k/pool.yaml', text: 'kind: NodePool' },
      { source: 'k/class.yaml', text: 'kind: EC2NodeClass' }
    ]
    expect(read('k/*.yaml')).toEqual({ kind: 'manifests', texts })
    expect(read('k/pool.yaml, k/class.yaml')).toEqual({ kind: 'manifests', texts })
    expect(read('k/pool.yaml\nk/*.yaml')).toEqual({ kind: 'manifests', texts })
    expect(problemsOf({ 'node-pools': 'none/*.yaml' })).toEqual([
      'node-pools: "none/*.yaml" matches no file; use default, none, paths or globs of manifests, or YAML'
    ])
  })

  it.each([
    ['mode', 'deploy'],
    ['cluster-name', 'not a name'],
    ['region', 'Ireland'],
    ['role-to-assume', 'deployer'],
    ['role-duration-seconds', '5'],
    ['role-duration-seconds', '99999'],
    ['allowed-account-ids', '1234'],
    ['karpenter-version', 'newest'],
    ['karpenter-version', '1'],
    ['karpenter-version', '1.14.x'],
    ['karpenter-version', '1.14-rc'],
    ['namespace', 'Karpenter'],
    ['controller-identity', 'kiam'],
    ['controller-role-name', 'a'.repeat(65)],
    ['node-role-name', 'path/role'],
    ['node-access', 'rbac'],
    ['subnets', 'all'],
    ['security-groups', 'sg-xyz'],
    ['template', 'missing.yaml'],
    ['stack-name', '1stack'],
    ['chart-signature', 'always'],
    ['chart-trust-root', 'no/such.json'],
    ['chart-signer', 'me'],
    ['chart-signer', 'https://github.com/acme/mirror/.github/workflows/charts.yml'],
    ['chart-signer', 'me@example.com http://accounts.example.com'],
    ['chart-signer', 'me https://a.example https://b.example'],
    ['chart', 'oci://public.ecr.aws/karpenter/karpenter:1.2.1'],
    ['helm-version', '3.1.0'],
    ['helm-download-url', 'get.helm.sh'],
    ['helm-values', '- a'],
    ['helm-values', 'a: ['],
    ['helm-values-file', 'missing.yaml'],
    ['node-pools', 'missing.yaml'],
    ['interruption-queue', 'https://sqs.eu-west-1.amazonaws.com/1/q'],
    ['permissions-boundary', 'boundary'],
    ['permissions-boundary', 'None'],
    ['tags', 'team'],
    ['tags', 'aws:team=a'],
    ['smoke-test', 'yes please'],
    ['smoke-test-replicas', '0'],
    ['smoke-test-one-per-node', '1'],
    ['smoke-test-image', 'not an image'],
    ['smoke-test-timeout', '1s'],
    ['timeout', 'soon'],
    ['summary', 'off']
  ])('refuses %s "%s", beginning with its name', (name, value) => {
    const problems = problemsOf({ [name]: value })
    expect(problems[0]).toMatch(new RegExp(`^${name}: `))
    expect(problems[0]).toContain('; use ')
  })

  it('lists every problem in one error', () => {
    const problems = problemsOf({ mode: 'x', region: 'y', timeout: 'z', tags: 'team' })
    expect(problems.map((line) => line.split(':')[0])).toEqual(['mode', 'region', 'tags', 'timeout'])
  })

  it('names no input twice', () => {
    const every = Object.fromEntries(
      Object.values(table).map(({ name }) => [name, '\u0000wrong:'.repeat(40)])
    )
    const names = problemsOf({ ...every, mode: 'install' }).map((line) => line.split(':')[0])
    expect(names.length).toBeGreaterThan(25)
    expect(names).toEqual([...new Set(names)])
  })
})

describe('inputs of the modes', () => {
  it('makes no smoke test in check and uninstall, and always one in mode smoke-test', () => {
    expect(parseInputs(source({ mode: 'check' })).smokeTest).toBeUndefined()
    expect(parseInputs(source({ mode: 'uninstall' })).smokeTest).toBeUndefined()
    expect(parseInputs(source({ mode: 'smoke-test', 'smoke-test': 'false' })).smokeTest).toMatchObject({
      nodePools: [],
      nodeReadyThresholdSeconds: undefined
    })
  })

  it('takes names of NodePools and a threshold', () => {
    const given = { 'smoke-test-node-pools': 'default, gpu\ndefault', 'node-ready-threshold-seconds': '90' }
    expect(parseInputs(source(given)).smokeTest).toMatchObject({
      nodePools: ['default', 'gpu'],
      nodeReadyThresholdSeconds: 90
    })
    expect(
      problemsOf({ 'smoke-test-node-pools': 'Default', 'node-ready-threshold-seconds': 'soon' })
    ).toHaveLength(2)
  })

  it('fails a check on drift, on what is unhealthy and on what is unknown unless fail-on says otherwise', () => {
    expect(parseInputs(source({})).check.failOn).toEqual(['drift', 'unhealthy', 'unknown'])
    expect(parseInputs(source({ 'fail-on': 'never' })).check.failOn).toEqual([])
    expect(parseInputs(source({ 'fail-on': 'pending' })).check.failOn).toEqual(['pending'])
    expect(problemsOf({ 'fail-on': 'never,drift' })[0]).toContain('"never" is not known')
    expect(problemsOf({ 'fail-on': ',' })[0]).toContain('is empty')
  })

  it('wants a token for the issue', () => {
    expect(problemsOf({ 'drift-issue': 'true' })[0]).toContain('drift-issue needs it')
    const given = { 'drift-issue': 'true', 'github-token': 'ghs_x' }
    expect(parseInputs(source(given)).check.issueToken).toBe('ghs_x')
    expect(parseInputs(source({ 'github-token': 'ghs_x' })).check.issueToken).toBeUndefined()
  })

  it('removes nothing that is not asked for by name', () => {
    expect(parseInputs(source({ mode: 'uninstall' })).removal).toEqual({
      forceDrain: false,
      removeCrds: false,
      removeOidcProvider: false,
      removeAdopted: false
    })
  })

  it('takes further policies of the roles by ARN', () => {
    const arn = 'arn:aws:iam::111122223333:policy/kms'
    expect(parseInputs(source({ 'controller-role-policies': arn })).controllerRolePolicies).toEqual([arn])
    expect(problemsOf({ 'node-role-policies': 'kms' })[0]).toContain('ARNs of IAM policies')
  })
})

describe('mode combine', () => {
  const files = { 'reports/a/green.json': '{}', 'reports/b/blue.json': '{"a": 1}' }

  it('takes the reports that the paths name, and needs no cluster and no region', () => {
    const given = { mode: 'combine', 'cluster-name': '', region: '' }
    expect(isCombine(source(given))).toBe(true)
    expect(parseCombineInputs(source(given, files))).toEqual({
      mode: 'combine',
      reports: [
        { source: 'reports/a/green.json', text: '{}' },
        { source: 'reports/b/blue.json', text: '{"a": 1}' }
      ],
      clusters: [],
      issueToken: undefined,
      summary: true,
      ofOtherModes: []
    })
  })

  it('takes the clusters as a list or from a file, whatever else stands in it', () => {
    const list = '[{"name": "green", "region": "eu-west-1", "role": "x", "wave": 1}]'
    const read = (clusters: string): unknown =>
      parseCombineInputs(source({ mode: 'combine', clusters }, { ...files, 'clusters.json': list })).clusters
    expect(read(list)).toEqual([{ name: 'green', region: 'eu-west-1' }])
    expect(read('clusters.json')).toEqual([{ name: 'green', region: 'eu-west-1' }])
    expect(read('')).toEqual([])
  })

  it('refuses what is no list, says which entry lacks its name, and where no report is', () => {
    const problems = (given: Record<string, string>): string => {
      try {
        parseCombineInputs(source({ mode: 'combine', ...given }, files))
        return ''
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        return error.message
      }
    }
    expect(problems({ clusters: '[{"name": "green"}]' })).toContain(
      'clusters: entry 1 has no name and region'
    )
    expect(problems({ clusters: '["green' })).toContain('clusters: it cannot be read')
    expect(problems({ clusters: 'none.json' })).toContain(
      'clusters: "none.json" cannot be read (no such file)'
    )
    expect(problems({ reports: 'other/*.json' })).toContain('reports: "other/*.json" matches no file')
  })

  it('says which inputs of a cluster mean nothing in it', () => {
    expect(parseCombineInputs(source({ mode: 'combine' }, files)).ofOtherModes).toEqual([
      'cluster-name (install, plan, check, smoke-test, uninstall)',
      'region (install, plan, check, smoke-test, uninstall)'
    ])
  })
})
