// A Payload CMS without its pages, on a fresh database, bound to this machine alone.
//
//   node server.js [port] [--ids number|text]
//
// The first line on standard output is one JSON object with the address and the credentials, the same at each start.
import { tell } from './quiet.js'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteAdapter } from '@payloadcms/db-sqlite'
import { buildConfig, getPayload, handleEndpoints } from 'payload'
import { collectionsFor } from './collections.js'
import { Webhooks } from './webhooks.js'

const API_KEY = '6d2f8c1e-3b7a-4e59-9c04-5a1d7e8f2b60'
const WEBHOOK_SECRET = 'shared-secret-of-the-crm'
const WEBHOOKS = '/api/webhooks/st-automation'

const words = process.argv.slice(2)
const port = words.find((word) => /^\d+$/.test(word)) ?? '0'
const idType = words[words.indexOf('--ids') + 1] === 'text' ? 'uuid' : 'number'

const folder = mkdtempSync(join(tmpdir(), 'payload_crm_'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0))

const config = await buildConfig({
  secret: 'secret-of-a-server-that-serves-this-machine-alone',
  telemetry: false,
  typescript: { autoGenerate: false },
  logger: { options: { level: 'silent' } },
  collections: collectionsFor(WEBHOOK_SECRET),
  db: sqliteAdapter({ client: { url: `file:${join(folder, 'crm.db')}` }, idType, wal: true, busyTimeout: 5000 }),
})
const payload = await getPayload({ config })
await payload.create({
  collection: 'users',
  data: { email: 'sync@example.com', password: 'password', name: 'Sync', enableAPIKey: true, apiKey: API_KEY },
})
const webhooks = new Webhooks(WEBHOOK_SECRET)

const read = async (incoming) => {
  const parts = []
  for await (const part of incoming) parts.push(part)
  return Buffer.concat(parts)
}

// What only a test asks for: forget everything but the user; what the webhook received.
const arrange = async (method, path) => {
  if (method === 'POST' && path === '/_sim/reset') {
    webhooks.events = []
    for (const collection of ['activities', 'opportunities', 'contacts', 'pipeline-stages', 'pipelines']) {
      await payload.db.deleteMany({ collection, where: {} })
    }
    return [204]
  }
  return method === 'GET' && path === '/_sim/events' ? [200, webhooks.events] : [404, { error: 'not known' }]
}

const answer = async (incoming) => {
  const [path] = incoming.url.split('?')
  const body = await read(incoming)
  if (path === `${WEBHOOKS}/health`) return webhooks.health()
  if (path === WEBHOOKS && incoming.method === 'POST') return webhooks.receive(incoming.headers, body)
  if (path.startsWith('/_sim/')) return arrange(incoming.method, path)
  const headers = Object.entries(incoming.headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
  const request = new Request(new URL(incoming.url, url), {
    method: incoming.method,
    headers,
    body: ['GET', 'HEAD'].includes(incoming.method) ? undefined : body,
  })
  const response = await handleEndpoints({ config, request })
  return [response.status, Buffer.from(await response.arrayBuffer()), Object.fromEntries(response.headers)]
}

const server = createServer(async (incoming, outgoing) => {
  try {
    const [status, content, headers = { 'content-type': 'application/json' }] = await answer(incoming)
    outgoing.writeHead(status, headers)
    outgoing.end(content === undefined || Buffer.isBuffer(content) ? content : JSON.stringify(content))
  } catch (error) {
    console.error(error)
    outgoing.writeHead(500).end()
  }
})
await new Promise((listening) => server.listen(Number(port), '127.0.0.1', listening))
const url = `http://127.0.0.1:${server.address().port}`
tell({ system: 'crm', url, api_url: url, api_key: API_KEY, webhook_secret: WEBHOOK_SECRET })
