import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createAuthority, type Authority } from '../../../sandbox/certificates.js'
import { imageDigest, startPublished, type Published } from '../../../sandbox/published/index.js'
import { upstreamPaths } from '../../../sandbox/published/upstream-files.js'

const templatePath = `/aws/karpenter-provider-aws/v1.2.1/${upstreamPaths.template}`
const values = `controller:
  image:
    # -- Repository path to the controller image.
    repository: public.ecr.aws/karpenter/controller
    # -- Tag of the controller image.
    tag: 1.1.2
    # -- SHA256 digest of the controller image.
    digest: sha256:51bca600197c7c6e6e0838549664b2c12c3f8dd4b23744ab28202ae97ca5aed1
  env: []
`

describe('published files', () => {
  let folder: string
  let authority: Authority
  let published: Published

  const start = () =>
    startPublished({
      folder,
      releases: new Map([
        [
          '1.2.1',
          {
            chart: {
              chartDir: join(folder, 'chart'),
              crdsDir: join(folder, 'crds'),
              crdChartDir: join(folder, 'crd-chart')
            },
            files: { [upstreamPaths.template]: 'Resources: {}\n' }
          }
        ]
      ]),
      helm: { binary: join(folder, 'helm-binary'), version: '3.22.0' },
      authority
    })
  const get = (path: string, authorization?: string, method = 'GET') =>
    fetch(published.url + path, { method, headers: authorization === undefined ? {} : { authorization } })
  const pull = (path: string, method?: string) => get(path, 'Bearer anonymous', method)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'published-'))
    await mkdir(join(folder, 'chart/templates'), { recursive: true })
    await mkdir(join(folder, 'crds'))
    await writeFile(
      join(folder, 'chart/Chart.yaml'),
      'apiVersion: v2\nname: karpenter\nversion: 1.1.2\nappVersion: 1.1.2\n'
    )
    await writeFile(join(folder, 'chart/values.yaml'), values)
    await writeFile(join(folder, 'chart/templates/service.yaml'), 'kind: Service\n')
    await writeFile(join(folder, 'crds/nodepools.yaml'), 'kind: CustomResourceDefinition\n')
    await mkdir(join(folder, 'crd-chart/templates'), { recursive: true })
    await writeFile(
      join(folder, 'crd-chart/Chart.yaml'),
      'apiVersion: v2\nname: karpenter-crd\nversion: 1.1.2\nappVersion: 1.1.2\n'
    )
    await writeFile(join(folder, 'crd-chart/templates/nodepools.yaml'), 'kind: CustomResourceDefinition\n')
    await writeFile(join(folder, 'helm-binary'), '#!/bin/sh\necho helm\n')
    authority = await createAuthority('sandbox')
    published = await start()
  })
  afterAll(async () => {
    await published.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('sends an anonymous client for a token and takes that token', async () => {
    const refused = await get('/v2/karpenter/karpenter/manifests/1.2.1')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="${published.url}/token/",service="public.ecr.aws",scope="aws"`
    )
    const { token } = (await (await get('/token/?service=public.ecr.aws&scope=aws')).json()) as {
      token: string
    }
    expect((await get('/v2/karpenter/karpenter/manifests/1.2.1', `Bearer ${token}`)).status).toBe(200)
  })

  it('refuses a stale login with 403, at the token and at the manifest', async () => {
    for (const path of ['/token/', '/v2/', '/v2/karpenter/karpenter/manifests/1.2.1']) {
      const refused = await get(path, 'Basic QVdTOnN0YWxl')
      expect(refused.status).toBe(403)
      expect(await refused.text()).toContain('Your authorization token has expired')
    }
  })

  it('serves the chart of the CRDs in a repository of its own', async () => {
    expect(published.crdChart).toBe(`${published.chart}-crd`)
    const answer = await pull('/v2/karpenter/karpenter-crd/manifests/1.2.1')
    expect(await answer.json()).toMatchObject({
      annotations: {
        'org.opencontainers.image.title': 'karpenter-crd',
        'org.opencontainers.image.version': '1.2.1'
      }
    })
    expect((await pull('/v2/karpenter/others/manifests/1.2.1')).status).toBe(404)
  })

  it('serves a manifest by tag and by digest, by GET and by HEAD', async () => {
    const byTag = await pull('/v2/karpenter/karpenter/manifests/1.2.1')
    const body = await byTag.text()
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
    expect(byTag.headers.get('content-type')).toBe('application/vnd.oci.image.manifest.v1+json')
    expect(byTag.headers.get('docker-content-digest')).toBe(digest)
    expect(published.chartDigest('1.2.1')).toBe(digest)
    const byDigest = await pull(`/v2/karpenter/karpenter/manifests/${digest}`, 'HEAD')
    expect(byDigest.status).toBe(200)
    expect(byDigest.headers.get('content-length')).toBe(String(body.length))
    expect(await byDigest.text()).toBe('')
    const unknown = await pull('/v2/karpenter/karpenter/manifests/9.9.9')
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'Requested image not found' }] }
    ])
  })

  it('publishes the chart under its own version, with its own image and the CRDs, the same bytes each time', async () => {
    const manifest = (await (await pull('/v2/karpenter/karpenter/manifests/1.2.1')).json()) as {
      config: { digest: string }
      layers: [{ digest: string }]
    }
    const config = await pull(`/v2/karpenter/karpenter/blobs/${manifest.config.digest}`)
    expect(await config.json()).toEqual({
      apiVersion: 'v2',
      name: 'karpenter',
      version: '1.2.1',
      appVersion: '1.2.1'
    })
    const layer = await pull(`/v2/karpenter/karpenter/blobs/${manifest.layers[0].digest}`)
    const archive = join(folder, 'pulled.tgz')
    await writeFile(archive, Buffer.from(await layer.arrayBuffer()))
    await promisify(execFile)('tar', ['xzf', archive, '-C', folder])
    expect(await readFile(join(folder, 'karpenter/values.yaml'), 'utf8')).toBe(
      values.replace('1.1.2', '1.2.1').replace(/sha256:51\w+/, imageDigest('1.2.1'))
    )
    expect(await readFile(join(folder, 'karpenter/crds/nodepools.yaml'), 'utf8')).toContain(
      'CustomResourceDefinition'
    )
    const again = await start()
    expect(again.chartDigest('1.2.1')).toBe(published.chartDigest('1.2.1'))
    await again.stop()
  })

  it('serves the files of a version at their upstream paths, and 404 for a version or a file that there is not', async () => {
    expect(await (await get(templatePath)).text()).toBe('Resources: {}\n')
    expect((await get(templatePath.replace('1.2.1', '9.9.9'))).status).toBe(404)
    expect((await get(templatePath.replace('cloudformation', 'other'))).status).toBe(404)
  })

  describe('the list of tags', () => {
    const path = '/v2/karpenter/karpenter/tags/list'
    const page = async (url: string) => {
      const answer = await pull(url)
      return {
        status: answer.status,
        tags: ((await answer.json()) as { tags?: string[] }).tags,
        next: /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
      }
    }

    it('needs a token, as a pull does', async () => {
      const refused = await get(path)
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer realm="${published.url}/token/",service="public.ecr.aws",scope="aws"`
      ])
    })

    it('has releases among signatures, candidates and snapshots, in an order that is none', async () => {
      const { tags = [], next } = await page(`${path}?n=1000`)
      expect(next).toBeUndefined()
      const signature = `${published.chartDigest('1.2.1')?.replace(':', '-')}.sig`
      expect(tags).toEqual(expect.arrayContaining(['1.2.1', signature, '99.0.0-rc.0', 'v0.16.3']))
      expect(tags).not.toEqual(tags.toSorted())
    })

    it('comes page by page, each with an absolute link to the next by a token that no tag is', async () => {
      const whole = await page(`${path}?n=1000`)
      const seen: string[] = []
      let url: string | undefined = `${published.url}${path}?n=3`
      while (url !== undefined) {
        const { tags = [], next } = await page(url.replace(published.url, ''))
        expect(tags.length).toBeLessThanOrEqual(3)
        seen.push(...tags)
        if (next !== undefined) {
          expect(next.startsWith(`${published.url}${path}?`)).toBe(true)
          expect(whole.tags).not.toContain(new URL(next).searchParams.get('last'))
        }
        url = next
      }
      expect(seen).toEqual(whole.tags)
    })

    it('refuses a page that is larger than ECR gives, and one of nothing', async () => {
      const refused = await pull(`${path}?n=1001`)
      expect(refused.status).toBe(405)
      expect(await refused.text()).toContain('Member must have value less than or equal to 1000')
      expect((await page(`${path}?n=0`)).status).toBe(405)
    })

    it('is refused when told so, and pulls go on', async () => {
      published.setTagList('refused')
      expect((await page(path)).status).toBe(403)
      expect((await pull('/v2/karpenter/karpenter/manifests/1.2.1')).status).toBe(200)
      published.setTagList('answered')
      expect((await page(path)).status).toBe(200)
    })

    it('is not there for a repository that is not there', async () => {
      expect((await page('/v2/karpenter/others/tags/list')).status).toBe(404)
    })
  })

  it('serves helm with its checksum, or with a wrong one when told so', async () => {
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch
    const path = `/helm-v3.22.0-${process.platform}-${architecture}.tar.gz`
    const archive = Buffer.from(await (await get(path)).arrayBuffer())
    const sum = createHash('sha256').update(archive).digest('hex')
    expect(await (await get(`${path}.sha256sum`)).text()).toBe(`${sum}  ${path.slice(1)}\n`)
    expect(await (await get(`${path}.sha256`)).text()).toBe(sum)
    published.setHelmChecksum('wrong')
    expect(await (await get(`${path}.sha256`)).text()).not.toBe(sum)
    published.setHelmChecksum('right')
    expect((await get('/helm-v9.9.9-linux-amd64.tar.gz')).status).toBe(404)
  })

  it('answers as public.ecr.aws over TLS, and records every request', async () => {
    const before = published.requests.length
    const realm = await new Promise((resolve, reject) => {
      httpsRequest(
        {
          host: '127.0.0.1',
          port: published.tlsPort,
          servername: 'public.ecr.aws',
          headers: { host: 'public.ecr.aws' },
          path: '/v2/',
          ca: authority.certPem
        },
        (response) => {
          response.resume()
          resolve(response.headers['www-authenticate'])
        }
      )
        .on('error', reject)
        .end()
    })
    expect(realm).toContain('realm="https://public.ecr.aws/token/"')
    expect(published.requests.slice(before)).toEqual([
      {
        at: expect.any(Number) as number,
        scheme: 'https',
        method: 'GET',
        host: 'public.ecr.aws',
        path: '/v2/',
        authorization: 'none',
        status: 401
      }
    ])
  })
})
