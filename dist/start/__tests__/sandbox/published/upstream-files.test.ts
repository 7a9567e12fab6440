import { laterFiles, upstreamPaths, type UpstreamFiles } from '../../../sandbox/published/upstream-files.js'

const files: UpstreamFiles = {
  [upstreamPaths.version]: 'const (\n\tMinK8sVersion = "1.26"\n\tMaxK8sVersion = "1.37"\n)\n',
  [upstreamPaths.nodeClass]: 'const EC2NodeClassHashVersion = "v6"\n',
  [upstreamPaths.template]: '{"Action": [ "ec2:TerminateInstances", "ec2:DeleteLaunchTemplate" ]}'
}
const changes = {
  kubernetes: ['1.30', '1.40'],
  action: { name: 'ec2:StopInstances', beside: 'ec2:TerminateInstances' },
  breaking: 'Nodes are blue.'
} as const

describe('the files of a later release', () => {
  const later = laterFiles(files, '1.99.0', changes)

  it('have their own Kubernetes range, and the hash version that the program writes', () => {
    expect(later[upstreamPaths.version]).toBe(
      'const (\n\tMinK8sVersion = "1.30"\n\tMaxK8sVersion = "1.40"\n)\n'
    )
    expect(later[upstreamPaths.nodeClass]).toBe(files[upstreamPaths.nodeClass])
  })
  it('have a template with one action more', () => {
    expect(JSON.parse(later[upstreamPaths.template] ?? '')).toEqual({
      Action: ['ec2:TerminateInstances', 'ec2:StopInstances', 'ec2:DeleteLaunchTemplate']
    })
  })
  it('have an upgrade guide with a section of their own and one of the release before', () => {
    const guide = later[upstreamPaths.upgradeGuide] ?? ''
    expect(guide).toContain('### Upgrading to `1.99.0`+\n\n* **Breaking:** Nodes are blue.\n')
    expect(guide).toContain('### Upgrading to `1.98.0`+')
  })
  it('are refused where the release has changed their form', () => {
    expect(() => laterFiles({ ...files, [upstreamPaths.version]: 'const x = 1' }, '1.99.0', changes)).toThrow(
      /^pkg\/providers\/version\/version\.go: nothing in it matches/
    )
  })
})
