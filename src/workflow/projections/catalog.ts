import type { Projection, RecordedEvent, RowChange } from '../aggregate.ts'
import { toRowId, toVersionRowId } from '../catalog/catalog-item-state.ts'
import type { CatalogContent, CatalogKind, ContentOf } from '../catalog/content.ts'
import { catalogEvents, type CatalogEvent } from '../catalog/events.ts'
import { quoteName } from '../sql-text.ts'
import { readCatalogEvents } from './narrow.ts'

/** Where each kind has its rows. */
export const CATALOG_TABLES: Readonly<Record<CatalogKind, string>> = {
  'auth-profile': 'auth_profiles',
  endpoint: 'endpoints',
  'request-template': 'request_templates',
  operator: 'operators',
  'rule-set': 'rule_sets',
  join: 'joins',
  schema: 'schemas',
  dataset: 'datasets'
}

const toJsonOrNull = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))

const toOnExpr = ({ on = [], onExpression }: ContentOf<'join'>['spec']): string =>
  [
    ...on.map(({ left, right }) => `"_left".${quoteName(left)} = "_right".${quoteName(right)}`),
    ...(onExpression === undefined ? [] : [`(${onExpression})`])
  ].join(' AND ')

/** The columns of a kind's own; `references` are ids of rows, by slot. */
const ownColumns = (
  content: CatalogContent,
  version: number,
  references: Readonly<Record<string, string>>
): Record<string, unknown> => {
  switch (content.kind) {
    case 'auth-profile':
      return { kind: content.spec.kind, config_json: '{}', secret_refs_json: null }
    case 'endpoint':
      return {
        base_url: content.spec.baseUrl,
        auth_profile_id: references['authProfile'] ?? null,
        default_headers_json: toJsonOrNull(content.spec.headers)
      }
    case 'request-template':
      return {
        endpoint_id: references['endpoint'] ?? null,
        method: content.spec.method,
        path_template: content.spec.path,
        headers_template_json: toJsonOrNull(content.spec.headers),
        body_template: content.spec.body ?? null
      }
    case 'operator':
      return { kind: content.spec.kind, spec_json: JSON.stringify(content.spec) }
    case 'rule-set':
      return { version, rules_json: JSON.stringify(content.spec.rules) }
    case 'join':
      return {
        left_dataset_id: references['left'] ?? null,
        right_dataset_id: references['right'] ?? null,
        join_type: content.spec.type,
        on_expr: toOnExpr(content.spec)
      }
    case 'schema':
      return { version, schema_json: JSON.stringify(content.spec.jsonSchema) }
    case 'dataset':
      return {
        location_uri: content.spec.location ?? null,
        format: content.spec.format ?? null,
        schema_id: references['schema'] ?? null,
        stats_json: toJsonOrNull(content.spec.stats)
      }
  }
}

/** A row an item shows the newest version, and since when there has been the item; a row a version, since when that. */
const published = (
  event: RecordedEvent<Extract<CatalogEvent, { type: 'CatalogItemVersionPublished' }>>
): readonly RowChange[] => {
  const { name, version, content, references } = event.payload
  const table = CATALOG_TABLES[content.kind]
  const id = toRowId(content.kind, event.aggregateId, version)
  const row = { name, ...ownColumns(content, version, references) }
  return version > 1 && id === event.aggregateId
    ? [{ op: 'update', table, where: { id }, set: row }]
    : [{ op: 'upsert', table, rows: [{ id, ...row, created_at: event.createdAt }] }]
}

/** The rows of all versions of an item, or its one. */
const rowIds = (kind: CatalogKind, itemId: string, versions: readonly number[]): readonly string[] =>
  kind === 'rule-set' || kind === 'schema'
    ? versions.map((version) => toVersionRowId(itemId, version))
    : [itemId]

const read = (event: RecordedEvent<CatalogEvent>): readonly RowChange[] => {
  switch (event.type) {
    case 'CatalogItemVersionPublished':
      return published(event)
    case 'CatalogItemRenamed': {
      const { kind, name, versions } = event.payload
      return rowIds(kind, event.aggregateId, versions).map((id) => ({
        op: 'update',
        table: CATALOG_TABLES[kind],
        where: { id },
        set: { name }
      }))
    }
    case 'CatalogItemRemoved': {
      const { kind, versions } = event.payload
      return rowIds(kind, event.aggregateId, versions).map((id) => ({
        op: 'remove',
        table: CATALOG_TABLES[kind],
        where: { id }
      }))
    }
    case 'CatalogItemCreated':
    case 'CatalogItemDraftEdited':
    case 'CatalogItemDescribed':
      return []
  }
}

/**
 * What workflows name beside data sources: a row an item, of its newest version; of rule sets and schemas a row a version,
 * its id `<item>@<version>`. Drafts and descriptions have no rows; they are in the log alone.
 */
export const catalogProjection: Projection = {
  name: 'catalog',
  version: 1,
  mode: 'inline',
  tables: [
    'schemas',
    'auth_profiles',
    'endpoints',
    'request_templates',
    'operators',
    'rule_sets',
    'datasets',
    'joins'
  ],
  hears: Object.keys(catalogEvents),
  project: readCatalogEvents(read)
}
