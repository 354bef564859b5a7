// What the CRM hears of: events at /api/webhooks/st-automation, known by the shared secret or by a signature.
import { createHmac, timingSafeEqual } from 'node:crypto'

const alike = (given, wanted) => {
  const [left, right] = [Buffer.from(given ?? ''), Buffer.from(wanted)]
  return left.length === right.length && timingSafeEqual(left, right)
}

export class Webhooks {
  constructor(secret) {
    this.secret = secret
    this.events = []
  }

  health() {
    return [200, { status: 'ok', received: this.events.length }]
  }

  receive(headers, body) {
    const signature = `sha256=${createHmac('sha256', this.secret).update(body).digest('hex')}`
    if (!alike(headers['x-webhook-secret'], this.secret) && !alike(headers['x-webhook-signature'], signature)) {
      return [401, { error: 'Unauthorized' }]
    }
    try {
      this.events.push(JSON.parse(body.toString('utf8')))
    } catch {
      return [400, { error: 'Invalid JSON' }]
    }
    return [202, { received: true }]
  }
}
