import { z } from 'zod'
import { JoinType } from '../nodes/join.ts'
import { Rule } from '../nodes/rule.ts'
import { ColumnName, Expression } from '../nodes/spec-parts.ts'
import { OperatorSpec } from './operator-spec.ts'

const Name = z.string().min(1).max(200)
const Version = z.int().min(1)
const JsonObject = z.record(z.string(), z.unknown())
/** By header name; a value is one line. */
const Headers = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name'),
  z
    .string()
    .max(8_000)
    .regex(/^[^\r\n\0]*$/, 'one line')
)

/** How requests prove who sends them. Kinds that need secrets come with a vault; none stands in a spec. */
export const AuthProfileSpec = z.strictObject({ kind: z.literal('none') })

/** Where a service is. `headers` go with every request to it. */
export const EndpointSpec = z.strictObject({
  baseUrl: z.string().max(2_000),
  authProfile: Name.optional(),
  headers: Headers.optional()
})

/** A request to an endpoint; path, headers and body are templates with `{{column}}` in them. */
export const RequestTemplateSpec = z.strictObject({
  endpoint: Name,
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']),
  path: z.string().max(8_000),
  headers: Headers.optional(),
  body: z.string().max(1_000_000).optional()
})

export const RuleSetSpec = z.strictObject({ rules: z.array(Rule).min(1, 'add at least one rule') })

/** How two datasets belong together. */
export const CatalogJoinSpec = z.strictObject({
  left: Name,
  right: Name,
  type: JoinType,
  on: z.array(z.strictObject({ left: ColumnName, right: ColumnName })).optional(),
  onExpression: Expression.optional(),
  suffix: z.string().min(1).max(64).optional()
})

/** A JSON Schema that each row fits, as an object with its columns as properties. */
export const SchemaSpec = z.strictObject({ jsonSchema: JsonObject })

/** Rows under a name; `location` is the key of their bytes in the blob store, none before anything was written. */
export const DatasetSpec = z.strictObject({
  location: z.string().optional(),
  format: z.string().optional(),
  schema: z.strictObject({ name: Name, version: Version.optional() }).optional(),
  stats: JsonObject.optional()
})

/** The spec of every kind of item. */
export const CATALOG_SPECS = {
  'auth-profile': AuthProfileSpec,
  endpoint: EndpointSpec,
  'request-template': RequestTemplateSpec,
  operator: OperatorSpec,
  'rule-set': RuleSetSpec,
  join: CatalogJoinSpec,
  schema: SchemaSpec,
  dataset: DatasetSpec
} as const

export const CATALOG_KINDS = [
  'endpoint',
  'request-template',
  'operator',
  'rule-set',
  'join',
  'schema',
  'dataset',
  'auth-profile'
] as const
export const CatalogKind = z.enum(CATALOG_KINDS)
export type CatalogKind = z.infer<typeof CatalogKind>

const contentOf = <Kind extends CatalogKind>(kind: Kind) =>
  z.strictObject({ kind: z.literal(kind), spec: CATALOG_SPECS[kind] })

/** What an item of the catalog is in one version: its kind and a spec of that kind. */
export const CatalogContent = z.discriminatedUnion('kind', [
  contentOf('auth-profile'),
  contentOf('endpoint'),
  contentOf('request-template'),
  contentOf('operator'),
  contentOf('rule-set'),
  contentOf('join'),
  contentOf('schema'),
  contentOf('dataset')
])
export type CatalogContent = z.infer<typeof CatalogContent>
export type ContentOf<Kind extends CatalogKind> = Extract<CatalogContent, { kind: Kind }>

/** What a person calls a kind. */
export const KIND_NAMES: Readonly<Record<CatalogKind, string>> = {
  'auth-profile': 'auth profile',
  endpoint: 'endpoint',
  'request-template': 'request template',
  operator: 'operator',
  'rule-set': 'rule set',
  join: 'join',
  schema: 'schema',
  dataset: 'dataset'
}

/** The same content has the same text: keys stand in the schema's order, columns in the person's. */
export const toContentText = ({ spec }: CatalogContent): string => JSON.stringify(spec)
