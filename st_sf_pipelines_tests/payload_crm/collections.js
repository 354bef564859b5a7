// The collections of the CRM, with the fields, the required marks and the choices that the CRM itself has.

const text = (name, more = {}) => ({ name, type: 'text', ...more })
const number = (name, more = {}) => ({ name, type: 'number', ...more })
const checkbox = (name) => ({ name, type: 'checkbox', defaultValue: false })
const select = (name, options, more = {}) => ({ name, type: 'select', options, ...more })
const to = (relationTo, name, more = {}) => ({ name, type: 'relationship', relationTo, ...more })
const required = { required: true }

const users = {
  slug: 'users',
  auth: { useAPIKey: true },
  fields: [text('name')],
}

const contacts = {
  slug: 'contacts',
  fields: [
    text('firstName'),
    text('lastName', required),
    { name: 'email', type: 'email' },
    text('phone'),
    select('type', ['lead', 'customer', 'past_customer', 'vendor']),
    select('customerType', ['residential', 'commercial']),
    select('source', ['website', 'referral', 'google_ads', 'servicetitan']),
    text('serviceTitanId', { unique: true }),
    { name: 'address', type: 'group', fields: [text('street'), text('city'), text('state'), text('zip')] },
    { name: 'tags', type: 'array', fields: [text('tag', required)] },
    { name: 'customFields', type: 'json' },
  ],
}

const pipelines = {
  slug: 'pipelines',
  fields: [text('name', required), text('slug', { required: true, unique: true }), select('type', ['sales', 'pool_construction'])],
}

const stages = {
  slug: 'pipeline-stages',
  fields: [
    text('name', required),
    text('slug', required),
    number('order', required),
    to('pipelines', 'pipeline', required),
    checkbox('isWon'),
    checkbox('isLost'),
  ],
}

const opportunities = {
  slug: 'opportunities',
  fields: [
    text('title', required),
    to('contacts', 'contact', required),
    to('pipelines', 'pipeline', required),
    to('pipeline-stages', 'stage', required),
    number('value'),
    select('status', ['open', 'won', 'lost', 'on_hold'], { required: true, defaultValue: 'open' }),
    text('serviceTitanId', { index: true }),
    text('serviceTitanJobNumber'),
    text('serviceTitanEstimateId'),
    text('estimateName'),
    text('businessUnit'),
    to('users', 'assignedTo'),
    { name: 'closeDate', type: 'date' },
    number('confidenceLevel', { min: 1, max: 5 }),
    select('forecastCategory', ['pipeline', 'best_case', 'commit', 'closed', 'omitted']),
    text('nextStep'),
    { name: 'notes', type: 'textarea' },
    checkbox('pinned'),
  ],
}

const activities = {
  slug: 'activities',
  fields: [
    select(
      'type',
      ['contact_created', 'stage_changed', 'assignment_changed', 'estimate_sold', 'job_completed', 'note'],
      required,
    ),
    text('title'),
    { name: 'body', type: 'textarea' },
    to('contacts', 'contact'),
    to('opportunities', 'opportunity'),
    { name: 'data', type: 'json' },
  ],
}

// Whoever has a key of a user, or knows the shared secret, may do anything; nobody else may do anything.
export const collectionsFor = (webhookSecret) => {
  const known = ({ req }) => Boolean(req.user) || req.headers.get('x-webhook-secret') === webhookSecret
  const access = { create: known, read: known, update: known, delete: known }
  return [users, contacts, pipelines, stages, opportunities, activities].map((each) => ({ ...each, access }))
}
