// oxlint-disable no-restricted-imports -- drawn by a library that tests alone know
import fc from 'fast-check'
import { GraphEdge, type Graph, type GraphNode, type NodeKind } from '../graph.ts'
import { quoteName, quoteText } from '../sql-text.ts'
import type { Step } from '../nodes/transform-spec.ts'
import {
  createGrammar,
  type Draw,
  type Grammar,
  type Kind,
  type Meanings,
  type Shape,
  type Value,
  type Values
} from './random-expression.ts'

export type RandomCase = {
  readonly graph: Graph
  /** Rows by data source. */
  readonly tables: Readonly<Record<string, readonly Values[]>>
  readonly shapes: Readonly<Record<string, Shape>>
  readonly meanings: Meanings
  /** Every port that something leaves by. */
  readonly ports: readonly { readonly relation: string; readonly shape: Shape }[]
}

const SOURCE_SHAPES: Readonly<Record<string, Shape>> = {
  left: { i0: 'integer', i1: 'integer', t0: 'text' },
  right: { i0: 'integer', t0: 'text', t1: 'text' }
}
const TEXTS = ['', 'x', 'y', `it's`, '"'] as const

type Port = { readonly node: string; readonly port: string; readonly shape: Shape }

/** Steps behind which a row is still one that came in. */
const isOfOneRow = (steps: readonly Step[]): boolean =>
  steps.every(
    ({ op }, at) =>
      (at === 0 && op === 'union') ||
      ['filter', 'derive', 'select', 'drop', 'rename', 'cast', 'sort', 'limit'].includes(op)
  )

const ofKind = (shape: Shape, kind: Kind): readonly string[] =>
  Object.keys(shape).filter((name) => shape[name] === kind)

/**
 * Draws a workflow of every node kind that runs without a service, the rows that it reads, and what its texts mean.
 * `failing`: expressions of one row in transforms and rules may fail for some rows.
 */
export const drawCase = (draw: Draw, { failing = false }: { failing?: boolean } = {}): RandomCase => {
  const meanings: Meanings = { scalars: new Map(), aggregates: new Map() }
  const between = (min: number, max: number) => fc.integer({ min, max })
  const grammar: Grammar = createGrammar(draw, { index: (max) => between(0, max), between }, meanings)
  const { pick, number } = grammar
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  const ports: Port[] = []
  let pivots = 0

  const some = <T>(items: readonly T[], least: number): readonly T[] => {
    const chosen = items.filter(() => number(0, 1) === 1)
    return chosen.length < least ? items.slice(0, least) : chosen
  }
  const addNode = (kind: NodeKind, spec: Record<string, unknown>): string => {
    const id = `n${nodes.length}`
    nodes.push({ id, kind, name: `${kind} ${id}`, spec })
    return id
  }
  const connect = (from: Port, to: string, toPort = 'in'): void => {
    const condition = number(0, 4) === 0 ? { condition: grammar.condition(from.shape, 1).sql } : {}
    const edge = GraphEdge.parse({ from: from.node, fromPort: from.port, to, toPort, ...condition })
    edges.push(edge)
  }
  const freeName = (shape: Shape, kind: Kind): string => {
    const prefix = kind === 'integer' ? 'i' : 't'
    let at = 0
    while (Object.hasOwn(shape, `${prefix}${at}`)) at += 1
    return `${prefix}${at}`
  }
  /** Values for columns: some anew, some new. */
  const mayFail = (): boolean => failing && number(0, 1) === 1
  const drawSet = (
    shape: Shape,
    most: number,
    isTried = false
  ): { set: Record<string, string>; shape: Shape } => {
    const set: Record<string, string> = {}
    let after = shape
    for (let count = number(0, most); count > 0; count -= 1) {
      const kind = pick(['integer', 'text'] as const)
      const old = ofKind(shape, kind)
      const name = old.length > 0 && number(0, 1) === 1 ? pick(old) : freeName(after, kind)
      set[name] =
        isTried && kind === 'integer' && mayFail() ? grammar.risky(shape).sql : grammar.value(shape, kind).sql
      after = { ...after, [name]: after[name] ?? kind }
    }
    return { set, shape: after }
  }

  const drawTable = (shape: Shape): readonly Values[] =>
    Array.from({ length: number(0, 6) }, () =>
      Object.fromEntries(
        Object.entries(shape).map(([name, kind]): [string, Value] => [
          name,
          number(0, 4) === 0 ? null : kind === 'integer' ? number(-2, 3) : pick(TEXTS)
        ])
      )
    )

  const condition = (shape: Shape, isTried: boolean): string => {
    if (!isTried || !mayFail()) return grammar.condition(shape).sql
    const { sql, of } = grammar.risky(shape)
    const is = `${sql} >= 0`
    meanings.scalars.set(is, (row) => {
      const value = of(row)
      return value === null ? null : Number(value) >= 0
    })
    return is
  }

  const drawSteps = (shape: Shape, isTried: boolean): { steps: Step[]; shape: Shape } => {
    const names = Object.keys(shape)
    switch (number(0, 11)) {
      case 0:
        return { steps: [{ op: 'filter', where: condition(shape, isTried) }], shape }
      case 1: {
        const { set, shape: after } = drawSet(shape, 2, isTried)
        return { steps: [{ op: 'derive', columns: set }], shape: after }
      }
      case 2: {
        const columns = [...some(names, 1)].toReversed()
        return {
          steps: [{ op: 'select', columns }],
          shape: Object.fromEntries(columns.map((name) => [name, shape[name] ?? 'text']))
        }
      }
      case 3: {
        const columns = [...some(names, 0)].slice(0, names.length - 1)
        const kept = names.filter((name) => !columns.includes(name))
        return {
          steps: [{ op: 'drop', columns }],
          shape: Object.fromEntries(kept.map((name) => [name, shape[name] ?? 'text']))
        }
      }
      case 4: {
        const name = pick(names)
        const kind = shape[name] ?? 'text'
        const to = freeName(shape, kind)
        const renamed = names.map((each) => [each === name ? to : each, shape[each] ?? 'text'] as const)
        return { steps: [{ op: 'rename', columns: { [name]: to } }], shape: Object.fromEntries(renamed) }
      }
      case 5: {
        const old = pick(names)
        const to = freeName(shape, 'text')
        const renamed = names.map(
          (each) => [each === old ? to : each, each === old ? 'text' : (shape[each] ?? 'text')] as const
        )
        // Renamed with it, so that a name says its type.
        const steps: Step[] = [
          { op: 'cast', columns: { [old]: 'text' } },
          { op: 'rename', columns: { [old]: to } }
        ]
        return { steps, shape: Object.fromEntries(renamed) }
      }
      case 6: {
        const groupBy = [...some(names, 0)]
        const [one, two] = [grammar.aggregate(shape), grammar.aggregate(shape)]
        const groups: Shape = Object.fromEntries(groupBy.map((name) => [name, shape[name] ?? 'text']))
        const first = freeName(groups, one.kind)
        const withFirst: Shape = { ...groups, [first]: one.kind }
        const second = freeName(withFirst, two.kind)
        return {
          steps: [{ op: 'aggregate', groupBy, columns: { [first]: one.sql, [second]: two.sql } }],
          shape: { ...withFirst, [second]: two.kind }
        }
      }
      case 7:
      case 8: {
        // Ordered by all columns, so that a limit takes the same rows whoever sorts.
        const by = names.map((column) => ({ column, descending: number(0, 1) === 1 }))
        const limit: Step[] =
          number(0, 1) === 1 ? [{ op: 'limit', count: number(0, 5), offset: number(0, 2) }] : []
        return { steps: [{ op: 'sort', by }, ...limit], shape }
      }
      case 9: {
        if (number(0, 1) === 0) return { steps: [{ op: 'distinct' }], shape }
        // Which row of its equals stays is nobody's promise: only what they share is looked at.
        const by = [...some(names, 1)]
        return {
          steps: [
            { op: 'distinct', by },
            { op: 'select', columns: by }
          ],
          shape: Object.fromEntries(by.map((name) => [name, shape[name] ?? 'text']))
        }
      }
      case 10: {
        const column = pick(names)
        const values = shape[column] === 'integer' ? ['0', '1', '-1'] : some(TEXTS.slice(1), 1).map(quoteText)
        const groupBy = some(names, 0).filter((name) => name !== column)
        const using = grammar.aggregate(shape)
        pivots += 1
        const total = `n${pivots}`
        const cells = values.map((value) =>
          shape[column] === 'integer' ? value : value.slice(1, -1).replaceAll("''", "'")
        )
        const kinds = [
          ...groupBy.map((name) => [name, shape[name] ?? 'text'] as const),
          ...cells.map((cell) => [`${cell}_${total}`, using.kind] as const)
        ]
        return {
          steps: [
            {
              op: 'pivot',
              on: `${quoteName(column)} IN (${values.join(', ')})`,
              using: { [total]: using.sql },
              groupBy
            }
          ],
          shape: Object.fromEntries(kinds)
        }
      }
      default: {
        const kind = pick(['integer', 'text'] as const)
        const columns = some(ofKind(shape, kind), 0)
        if (columns.length === 0) return { steps: [], shape }
        const kept: Shape = Object.fromEntries(
          names.filter((name) => !columns.includes(name)).map((name) => [name, shape[name] ?? 'text'])
        )
        const nameTo = freeName(kept, 'text')
        const withName: Shape = { ...kept, [nameTo]: 'text' }
        const valueTo = freeName(withName, kind)
        return {
          steps: [{ op: 'unpivot', columns: [...columns], nameTo, valueTo }],
          shape: { ...withName, [valueTo]: kind }
        }
      }
    }
  }

  const addTransform = (): void => {
    const inputs = number(0, 3) === 0 ? [...some(ports, 1)].slice(0, 3) : [pick(ports)]
    const steps: Step[] = []
    let shape = inputs[0]?.shape ?? {}
    if (inputs.length > 1) {
      steps.push({ op: 'union', all: number(0, 1) === 1 })
      shape = Object.assign({}, ...inputs.map((input) => input.shape))
    }
    const came = shape
    for (let count = number(1, 3); count > 0; count -= 1) {
      const drawn = drawSteps(shape, isOfOneRow(steps))
      steps.push(...drawn.steps)
      shape = drawn.shape
    }
    const node = addNode('transform', { steps })
    for (const input of inputs) connect(input, node)
    ports.push({ node, port: 'out', shape })
    const hasTrials = steps.some(
      (step, at) =>
        isOfOneRow(steps.slice(0, at)) &&
        (step.op === 'filter' ||
          ((step.op === 'derive' || step.op === 'cast') && Object.keys(step.columns).length > 0))
    )
    if (failing && hasTrials) ports.push({ node, port: 'rejected', shape: { ...came, _reason: 'text' } })
  }

  const addJoin = (): void => {
    const [left, right] = [pick(ports), pick(ports)]
    const type = pick(['inner', 'left', 'right', 'full', 'semi', 'anti'] as const)
    const suffix = `_${nodes.length}`
    const naming = (name: string): string => (Object.hasOwn(left.shape, name) ? name + suffix : name)
    const named: Shape = Object.fromEntries(
      Object.entries(right.shape).map(([name, kind]) => [naming(name), kind])
    )
    const pairs = (['integer', 'text'] as const).flatMap((kind) => {
      const [a, b] = [ofKind(left.shape, kind), ofKind(right.shape, kind)]
      return a.length > 0 && b.length > 0 ? [{ left: pick(a), right: pick(b) }] : []
    })
    const on = [...some(pairs, 1)]
    const both: Shape = { ...left.shape, ...named }
    // An engine joins the whole sides by equal keys alone.
    const expression =
      on.length === 0 || number(0, 3) === 0 ? { onExpression: grammar.condition(both, 1).sql } : {}
    if (on.length === 0 && (type === 'full' || type === 'right')) return
    const node = addNode('join', { type, suffix, ...(on.length === 0 ? {} : { on }), ...expression })
    connect(left, node, 'left')
    connect(right, node, 'right')
    ports.push({ node, port: 'out', shape: type === 'semi' || type === 'anti' ? left.shape : both })
  }

  const addRule = (): void => {
    const input = pick(ports)
    let shape = input.shape
    const sets = (most: number): Record<string, string> => {
      const drawn = drawSet(input.shape, most, true)
      shape = { ...shape, ...drawn.shape }
      return drawn.set
    }
    const rules = Array.from({ length: number(0, 3) }, (_, at) => ({
      name: `rule ${at}'s "name"`,
      when: condition(input.shape, true),
      set: sets(2),
      ...(number(0, 2) === 0 ? { reject: `reason ${at} isn't good` } : {})
    }))
    const node = addNode('rule', { mode: pick(['first', 'all'] as const), rules, otherwise: sets(1) })
    connect(input, node)
    ports.push({ node, port: 'out', shape })
    ports.push({ node, port: 'rejected', shape: { ...input.shape, _rule: 'text', _reason: 'text' } })
  }

  const addBranch = (): void => {
    const input = pick(ports)
    const outputs = [
      ...Array.from({ length: number(1, 2) }, (_, at) => ({
        name: `way ${at}`,
        when: condition(input.shape, true)
      })),
      ...(number(0, 1) === 1 ? [{ name: 'rest' }] : [])
    ]
    const node = addNode('branch', { outputs, mode: pick(['first', 'all'] as const) })
    connect(input, node)
    for (const { name } of outputs) ports.push({ node, port: name, shape: input.shape })
    if (failing) ports.push({ node, port: 'rejected', shape: { ...input.shape, _reason: 'text' } })
  }

  const tables: Record<string, readonly Values[]> = {}
  for (const [name, shape] of Object.entries(SOURCE_SHAPES)) {
    tables[name] = drawTable(shape)
    ports.push({ node: addNode('source', { dataSource: name }), port: 'out', shape })
  }
  for (let count = number(1, 6); count > 0; count -= 1) {
    pick([addTransform, addTransform, addJoin, addRule, addBranch])()
  }
  const last = ports.at(-1)
  if (last !== undefined) {
    const sink = addNode('sink', { format: 'csv', fileName: 'result.csv' })
    connect(last, sink)
    ports.push({ node: sink, port: 'in', shape: last.shape })
  }
  return {
    graph: { parameters: {}, nodes, edges },
    tables,
    shapes: SOURCE_SHAPES,
    meanings,
    ports: ports.map(({ node, port, shape }) => ({ relation: `${node}.${port}`, shape }))
  }
}

const typeOf = (kind: Kind): string => (kind === 'integer' ? 'INTEGER' : 'VARCHAR')

/** A table's rows as a query, in order. */
export const tableSql = (rows: readonly Values[], shape: Shape): string => {
  const select = (values: Values): string =>
    Object.entries(shape)
      .map(([name, kind]) => {
        const value = values[name] ?? null
        const text = value === null ? 'NULL' : typeof value === 'string' ? quoteText(value) : String(value)
        return `CAST(${text} AS ${typeOf(kind)}) AS ${quoteName(name)}`
      })
      .join(', ')
  if (rows.length === 0) return `SELECT ${select({})} WHERE false`
  return rows.map((values) => `SELECT ${select(values)}`).join(' UNION ALL ')
}
