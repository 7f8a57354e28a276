import { z } from 'zod'
import type { GraphNode } from '../graph.ts'
import type { CatalogContent, CatalogKind } from './content.ts'

/** That something names an item of the catalog; `path` leads to the name from the spec. No version means the latest. */
export type CatalogReference = {
  readonly kind: CatalogKind
  readonly name: string
  readonly version?: number | undefined
  readonly path: string
}

/** What an item of the catalog names; `slot` is where its row refers to the other's. */
export type ItemReference = CatalogReference & {
  readonly slot: 'endpoint' | 'authProfile' | 'schema' | 'left' | 'right'
}

/** The other items that an item's content names. */
export const contentReferences = (content: CatalogContent): readonly ItemReference[] => {
  switch (content.kind) {
    case 'endpoint': {
      const { authProfile } = content.spec
      return authProfile === undefined
        ? []
        : [{ slot: 'authProfile', kind: 'auth-profile', name: authProfile, path: '.authProfile' }]
    }
    case 'request-template':
      return [{ slot: 'endpoint', kind: 'endpoint', name: content.spec.endpoint, path: '.endpoint' }]
    case 'join':
      return [
        { slot: 'left', kind: 'dataset', name: content.spec.left, path: '.left' },
        { slot: 'right', kind: 'dataset', name: content.spec.right, path: '.right' }
      ]
    case 'dataset': {
      const { schema } = content.spec
      return schema === undefined ? [] : [{ slot: 'schema', kind: 'schema', path: '.schema', ...schema }]
    }
    case 'auth-profile':
    case 'operator':
    case 'rule-set':
    case 'schema':
      return []
  }
}

const Versioned = z.object({ name: z.string(), version: z.int().min(1).optional() })
// What of a node's spec names items, read so that an unfinished rest does not hide it.
const Naming = {
  transform: z.object({
    steps: z.array(
      z
        .object({ op: z.literal('operator'), name: z.string() })
        .optional()
        .catch(undefined)
    )
  }),
  rule: z.object({ ruleSet: Versioned }),
  join: z.object({ join: z.string() }),
  http: z.object({
    template: z.string().optional().catch(undefined),
    request: z.object({ endpoint: z.string() }).optional().catch(undefined)
  }),
  source: z.object({
    dataSource: z.string().optional().catch(undefined),
    schema: Versioned.optional().catch(undefined)
  }),
  sink: z.object({ dataset: z.object({ name: z.string() }) })
} as const

/** Does an HTTP node's `endpoint` say the address itself, rather than an endpoint's name? */
export const isAddress = (endpoint: string): boolean => /^https?:\/\//i.test(endpoint)

/**
 * The items that a node names. A source may name a dataset where another names a data source; that it does is known
 * where data sources are.
 */
export const nodeReferences = ({
  kind,
  spec
}: Pick<GraphNode, 'kind' | 'spec'>): readonly CatalogReference[] => {
  switch (kind) {
    case 'transform': {
      const steps = Naming.transform.safeParse(spec).data?.steps ?? []
      return steps.flatMap((step, index) =>
        step === undefined
          ? []
          : [{ kind: 'operator' as const, name: step.name, path: `.steps[${index}].name` }]
      )
    }
    case 'rule': {
      const ruleSet = Naming.rule.safeParse(spec).data?.ruleSet
      return ruleSet === undefined ? [] : [{ kind: 'rule-set', path: '.ruleSet', ...ruleSet }]
    }
    case 'join': {
      const name = Naming.join.safeParse(spec).data?.join
      return name === undefined ? [] : [{ kind: 'join', name, path: '.join' }]
    }
    case 'http': {
      const { template, request } = Naming.http.safeParse(spec).data ?? {}
      return [
        ...(template === undefined
          ? []
          : [{ kind: 'request-template' as const, name: template, path: '.template' }]),
        ...(request === undefined || isAddress(request.endpoint)
          ? []
          : [{ kind: 'endpoint' as const, name: request.endpoint, path: '.request.endpoint' }])
      ]
    }
    case 'source': {
      const { dataSource, schema } = Naming.source.safeParse(spec).data ?? {}
      return [
        ...(dataSource === undefined
          ? []
          : [{ kind: 'dataset' as const, name: dataSource, path: '.dataSource' }]),
        ...(schema === undefined ? [] : [{ kind: 'schema' as const, path: '.schema', ...schema }])
      ]
    }
    case 'sink': {
      const name = Naming.sink.safeParse(spec).data?.dataset.name
      return name === undefined ? [] : [{ kind: 'dataset', name, path: '.dataset.name' }]
    }
    case 'branch':
      return []
  }
}
