import type { CatalogKind } from '../../workflow/catalog/content.ts'

export type FormSpec = Readonly<Record<string, unknown>>

type KindLook = {
  /** Of several. */
  readonly label: string
  readonly icon: string
  readonly does: string
  /** What a new one begins with. */
  readonly example: FormSpec
}

export const kindLooks: Readonly<Record<CatalogKind, KindLook>> = {
  'rule-set': {
    label: 'Rule sets',
    icon: 'i-lucide-list-checks',
    does: 'Rules that rule nodes share, in versions',
    example: { rules: [{ name: 'Large order', when: 'amount > 1000', set: { size: `'large'` } }] }
  },
  operator: {
    label: 'Operators',
    icon: 'i-lucide-puzzle',
    does: 'Steps, checks or columns that transforms share',
    example: {
      kind: 'transform',
      parameters: [{ name: 'column', type: 'column' }],
      steps: [{ op: 'filter', where: '$column IS NOT NULL' }]
    }
  },
  join: {
    label: 'Joins',
    icon: 'i-lucide-merge',
    does: 'How two datasets belong together',
    example: { left: '', right: '', type: 'inner', on: [{ left: 'id', right: 'id' }] }
  },
  schema: {
    label: 'Schemas',
    icon: 'i-lucide-braces',
    does: 'What each row must look like',
    example: {
      jsonSchema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'integer' }, name: { type: 'string' } }
      }
    }
  },
  endpoint: {
    label: 'Endpoints',
    icon: 'i-lucide-globe',
    does: 'Where a service is, and what every request to it says',
    example: { baseUrl: 'https://api.example.com/v1', headers: { Accept: 'application/json' } }
  },
  'request-template': {
    label: 'Request templates',
    icon: 'i-lucide-send',
    does: 'Requests with {{column}} in them',
    example: { endpoint: '', method: 'GET', path: '/people/{{id}}' }
  },
  dataset: {
    label: 'Datasets',
    icon: 'i-lucide-database',
    does: 'Rows under a name, for joins and results',
    example: {}
  },
  'auth-profile': {
    label: 'Auth profiles',
    icon: 'i-lucide-key-round',
    does: 'How requests prove who sends them; kinds with secrets come later',
    example: { kind: 'none' }
  }
}
