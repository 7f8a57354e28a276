import { edgeKey, type Graph, type GraphNode } from '../graph.ts'
import { topologicalOrder } from '../graph-order.ts'
import { BranchSpec } from '../nodes/branch.ts'
import { JoinSpec } from '../nodes/join.ts'
import { readPivotOn } from '../nodes/pivot.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { TransformSpec, type Step, type StepOf } from '../nodes/transform-spec.ts'
import { RowFailure, type Meanings, type Value, type Values } from './random-expression.ts'

/** A row with the source rows that it was made of: `<node>:<row>`. */
export type Interpreted = {
  readonly values: Values
  readonly from: ReadonlySet<string>
  /** The row as it came to the transform that works on it. */
  readonly came?: Values
}
type Rows = readonly Interpreted[]

const merge = (rows: Rows): ReadonlySet<string> => new Set(rows.flatMap(({ from }) => [...from]))

const groupedBy = (rows: Rows, names: readonly string[]): readonly Rows[] => {
  const groups = new Map<string, Interpreted[]>()
  for (const row of rows) {
    const key = JSON.stringify(names.map((name) => row.values[name] ?? null))
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()]
}

const byKeys =
  (by: StepOf<'sort'>['by']) =>
  (a: Interpreted, b: Interpreted): number => {
    for (const { column, descending = false } of by) {
      const [x, y] = [a.values[column] ?? null, b.values[column] ?? null]
      if (x === y) continue
      if (x === null) return 1
      if (y === null) return -1
      const order = x < y ? -1 : 1
      return descending ? -order : order
    }
    return 0
  }

/** A graph read row by row, as its words say; it shares nothing with the planner but the specs' schemas. */
export const interpret = (
  graph: Graph,
  tables: Readonly<Record<string, readonly Values[]>>,
  { scalars, aggregates }: Meanings,
  columnsOf: (relation: string) => readonly string[]
): ReadonlyMap<string, Rows> => {
  const relations = new Map<string, Rows>()
  const scalar = (text: string, values: Values): Value => {
    const of = scalars.get(text)
    if (of === undefined) throw new Error(`Nobody said what this means: ${text}`)
    return of(values)
  }
  const over = (text: string, rows: Rows): Value => {
    const of = aggregates.get(text)
    if (of === undefined) throw new Error(`Nobody said what this means: ${text}`)
    return of(rows.map(({ values }) => values))
  }
  const meets = (text: string, { values }: Interpreted): boolean => scalar(text, values) === true
  const evaluated = (set: Readonly<Record<string, string>>, values: Values): Values =>
    Object.fromEntries(Object.entries(set).map(([name, text]) => [name, scalar(text, values)]))

  const aggregate = (rows: Rows, { groupBy = [], columns = {} }: StepOf<'aggregate'>): Rows => {
    const groups = groupBy.length === 0 ? [rows] : groupedBy(rows, groupBy)
    return groups.map((group) => ({
      values: Object.fromEntries([
        ...groupBy.map((name) => [name, group[0]?.values[name] ?? null] as const),
        ...Object.entries(columns).map(([name, text]) => [name, over(text, group)] as const)
      ]),
      from: merge(group)
    }))
  }

  const pivot = (rows: Rows, { on, using, groupBy = [] }: StepOf<'pivot'>): Rows => {
    const turned = readPivotOn(on)
    if (turned === undefined) throw new Error(on)
    const used = typeof using === 'string' ? [['', using] as const] : Object.entries(using)
    const groups = groupBy.length === 0 ? [rows] : groupedBy(rows, groupBy)
    return groups.map((group) => ({
      values: Object.fromEntries([
        ...groupBy.map((name) => [name, group[0]?.values[name] ?? null] as const),
        ...turned.values.flatMap((value) =>
          used.map(([name, text]) => {
            const found = group.filter(({ values }) => String(values[turned.column] ?? 'null') === value.name)
            return [name === '' ? value.name : `${value.name}_${name}`, over(text, found)] as const
          })
        )
      ]),
      from: merge(group)
    }))
  }

  const unpivot = (rows: Rows, { columns, nameTo, valueTo }: StepOf<'unpivot'>): Rows =>
    rows.flatMap(({ values, from }) =>
      columns.map((name) => ({
        values: {
          ...Object.fromEntries(Object.entries(values).filter(([other]) => !columns.includes(other))),
          [nameTo]: name,
          [valueTo]: values[name] ?? null
        },
        from
      }))
    )

  const distinct = (rows: Rows, by: readonly string[]): Rows =>
    groupedBy(rows, by).flatMap((group) => group.slice(0, 1).map((row) => ({ ...row, from: merge(group) })))

  /** What `compute` makes of the rows that it does not fail for; the others go to `rejected`, with the reason. */
  const surviving = <T>(
    rows: Rows,
    rejected: Interpreted[],
    compute: (row: Interpreted) => T,
    reason: (row: Interpreted) => string
  ): readonly { row: Interpreted; made: T }[] =>
    rows.flatMap((row) => {
      try {
        return [{ row, made: compute(row) }]
      } catch (thrown) {
        if (!(thrown instanceof RowFailure)) throw thrown
        rejected.push({ ...row, values: { ...(row.came ?? row.values), _reason: reason(row) } })
        return []
      }
    })
  const cannot = (what: string, text: string): string => `${what} cannot be computed for this row: ${text}`
  const fails = (text: string, values: Values): boolean => {
    try {
      scalar(text, values)
      return false
    } catch (thrown) {
      if (thrown instanceof RowFailure) return true
      throw thrown
    }
  }
  /** The first of a set's columns that fails. */
  const failing = (set: Readonly<Record<string, string>>, values: Values): string => {
    const [name = '', text = ''] = Object.entries(set).find(([, each]) => fails(each, values)) ?? []
    return cannot(`"${name}"`, text)
  }

  const carryOut = (rows: Rows, step: Step, rejected: Interpreted[]): Rows => {
    switch (step.op) {
      case 'filter':
        return surviving(
          rows,
          rejected,
          (row) => meets(step.where, row),
          () => cannot('The condition', step.where)
        ).flatMap(({ row, made }) => (made ? [row] : []))
      case 'derive':
        return surviving(
          rows,
          rejected,
          ({ values }) => ({ ...values, ...evaluated(step.columns, values) }),
          ({ values }) => failing(step.columns, values)
        ).map(({ row, made }) => ({ ...row, values: made }))
      case 'select':
        return rows.map(({ values, ...rest }) => ({
          values: Object.fromEntries(step.columns.map((name) => [name, values[name] ?? null])),
          ...rest
        }))
      case 'drop':
        return rows.map(({ values, ...rest }) => ({
          values: Object.fromEntries(Object.entries(values).filter(([name]) => !step.columns.includes(name))),
          ...rest
        }))
      case 'rename':
        return rows.map(({ values, ...rest }) => ({
          values: Object.fromEntries(
            Object.entries(values).map(([name, value]) => [step.columns[name] ?? name, value])
          ),
          ...rest
        }))
      case 'cast':
        return rows.map(({ values, ...rest }) => ({
          values: Object.fromEntries(
            Object.entries(values).map(([name, value]) => [
              name,
              step.columns[name] === 'text' && value !== null ? String(value) : value
            ])
          ),
          ...rest
        }))
      case 'aggregate':
        return aggregate(rows, step)
      case 'sort':
        return rows.toSorted(byKeys(step.by))
      case 'limit':
        return rows.slice(step.offset ?? 0, (step.offset ?? 0) + step.count)
      case 'distinct':
        return distinct(rows, step.by ?? Object.keys(rows[0]?.values ?? {}).toSorted())
      case 'pivot':
        return pivot(rows, step)
      case 'unpivot':
        return unpivot(rows, step)
      case 'union':
        return rows
      case 'sql':
      case 'operator':
        throw new Error(`The interpreter knows no ${step.op}.`)
    }
  }

  const transform = (
    { spec }: GraphNode,
    inputs: readonly { rows: Rows; names: readonly string[] }[]
  ): { out: Rows; rejected: Rows } => {
    const { steps } = TransformSpec.parse(spec)
    const [opening] = steps
    const names = [...new Set(inputs.flatMap((input) => input.names))]
    const gathered = inputs.flatMap(({ rows }) =>
      opening?.op === 'union'
        ? rows.map(({ values, from }) => ({
            values: Object.fromEntries(names.map((name) => [name, values[name] ?? null])),
            from
          }))
        : rows
    )
    const first = opening?.op === 'union' && opening.all === false ? distinct(gathered, names) : gathered
    const rejected: Interpreted[] = []
    const came = first.map((row) => ({ ...row, came: row.values }))
    const out = steps.reduce((rows: Rows, step) => carryOut(rows, step, rejected), came)
    return { out: out.map(({ values, from }) => ({ values, from })), rejected }
  }

  const join = (node: GraphNode, left: Rows, right: Rows): Rows => {
    const { type, on = [], onExpression, suffix = '_right' } = JoinSpec.parse(node.spec)
    const [leftNames, rightNames] = [sideNames(node.id, 'left'), sideNames(node.id, 'right')]
    const naming = (name: string): string => (leftNames.includes(name) ? name + suffix : name)
    const named = (values: Values): Values =>
      Object.fromEntries(rightNames.map((name) => [naming(name), values[name] ?? null]))
    const noRight = named({})
    const noLeft: Values = Object.fromEntries(leftNames.map((name) => [name, null]))
    const matches = (a: Interpreted, b: Interpreted): boolean =>
      on.every((pair) => {
        const [x, y] = [a.values[pair.left] ?? null, b.values[pair.right] ?? null]
        return x !== null && x === y
      }) &&
      (onExpression === undefined || scalar(onExpression, { ...a.values, ...named(b.values) }) === true)
    if (type === 'semi') return left.filter((a) => right.some((b) => matches(a, b)))
    if (type === 'anti') return left.filter((a) => !right.some((b) => matches(a, b)))
    const pairs = left.flatMap((a) =>
      right
        .filter((b) => matches(a, b))
        .map((b) => ({ values: { ...a.values, ...named(b.values) }, from: merge([a, b]) }))
    )
    const lonelyLeft = left
      .filter((a) => !right.some((b) => matches(a, b)))
      .map(({ values, from }) => ({ values: { ...values, ...noRight }, from }))
    const lonelyRight = right
      .filter((b) => !left.some((a) => matches(a, b)))
      .map(({ values, from }) => ({ values: { ...noLeft, ...named(values) }, from }))
    return [
      ...pairs,
      ...(type === 'left' || type === 'full' ? lonelyLeft : []),
      ...(type === 'right' || type === 'full' ? lonelyRight : [])
    ]
  }

  const rule = ({ spec }: GraphNode, rows: Rows): { out: Rows; rejected: Rows } => {
    const { rules = [], mode, otherwise = {} } = RuleSpec.parse(spec)
    const names = [...rules.flatMap(({ set = {} }) => Object.keys(set)), ...Object.keys(otherwise)]
    const out: Interpreted[] = []
    const rejected: Interpreted[] = []
    for (const row of rows) {
      const unclear = rules.find(({ when }) => fails(when, row.values))
      if (unclear !== undefined) {
        const why = cannot(`The condition of "${unclear.name}"`, unclear.when)
        rejected.push({ ...row, values: { ...row.values, _rule: null, _reason: why } })
        continue
      }
      const matching = rules.filter(({ when }) => meets(when, row))
      const deciding = mode === 'first' ? matching.slice(0, 1) : matching
      const rejecting = deciding.find(({ reject }) => reject !== undefined)
      if (rejecting !== undefined) {
        const why = { _rule: rejecting.name, _reason: rejecting.reject ?? null }
        rejected.push({ ...row, values: { ...row.values, ...why } })
        continue
      }
      const base: Values = { ...Object.fromEntries(names.map((name) => [name, null])), ...row.values }
      const sets = matching.length === 0 ? [otherwise] : deciding.map(({ set = {} }) => set)
      // A value that a later rule sets over an earlier one's is the only one that is computed.
      const set = Object.fromEntries(sets.flatMap((each) => Object.entries(each)))
      const inOrder = Object.fromEntries(
        names.flatMap((name) => (set[name] === undefined ? [] : [[name, set[name]]]))
      )
      const made = surviving(
        [row],
        [],
        ({ values }) => evaluated(set, values),
        () => ''
      )
      const [computed] = made
      if (computed === undefined) {
        const why = { _rule: null, _reason: failing(inOrder, row.values) }
        rejected.push({ ...row, values: { ...row.values, ...why } })
      } else out.push({ ...row, values: { ...base, ...computed.made } })
    }
    return { out, rejected }
  }

  const branch = ({ spec }: GraphNode, rows: Rows): Record<string, Rows> => {
    const { outputs, mode } = BranchSpec.parse(spec)
    const rejected: Interpreted[] = []
    /** Where a row goes, and the way whose condition cannot be told. */
    const sent = (row: Interpreted): readonly string[] => {
      const met: string[] = []
      let unclear: (typeof outputs)[number] | undefined
      for (const output of outputs) {
        if (output.when === undefined) continue
        if (mode === 'first' && (met.length > 0 || unclear !== undefined)) continue
        if (fails(output.when, row.values)) unclear ??= output
        else if (meets(output.when, row)) met.push(output.name)
      }
      if (unclear !== undefined) {
        const why = cannot(`The condition of "${unclear.name}"`, String(unclear.when))
        rejected.push({ ...row, values: { ...row.values, _reason: why } })
        return met
      }
      return met.length > 0 ? met : outputs.filter(({ when }) => when === undefined).map(({ name }) => name)
    }
    const places = rows.map((row) => ({ row, to: sent(row) }))
    const ways = outputs.map(({ name }) => [
      name,
      places.flatMap(({ row, to }) => (to.includes(name) ? [row] : []))
    ])
    return { ...Object.fromEntries(ways), rejected }
  }

  const reach = (nodeId: string, port: string): readonly { rows: Rows; names: readonly string[] }[] =>
    graph.edges
      .filter(({ to, toPort }) => to === nodeId && toPort === port)
      .map((edge) => {
        const from = `${edge.from}.${edge.fromPort}`
        const { condition } = edge
        const rows = relations.get(from) ?? []
        const passing = condition === undefined ? rows : rows.filter((row) => meets(condition, row))
        if (condition !== undefined) relations.set(edgeKey(edge), passing)
        return { rows: passing, names: columnsOf(from) }
      })
  const rowsAt = (nodeId: string, port: string): Rows => reach(nodeId, port).flatMap(({ rows }) => rows)
  const sideNames = (nodeId: string, port: string): readonly string[] =>
    reach(nodeId, port).flatMap(({ names }) => names)

  const carryOutNode = (node: GraphNode): Readonly<Record<string, Rows>> => {
    switch (node.kind) {
      case 'source': {
        const rows = (tables[String(node.spec['dataSource'])] ?? []).map((values, at) => ({
          values,
          from: new Set([`${node.id}:${at}`])
        }))
        return { out: rows, rejected: [] }
      }
      case 'transform':
        return transform(node, reach(node.id, 'in'))
      case 'join':
        return { out: join(node, rowsAt(node.id, 'left'), rowsAt(node.id, 'right')) }
      case 'rule':
        return rule(node, rowsAt(node.id, 'in'))
      case 'branch':
        return branch(node, rowsAt(node.id, 'in'))
      case 'sink':
        return { in: rowsAt(node.id, 'in') }
      case 'http':
        throw new Error('The interpreter asks no service.')
    }
  }

  for (const id of topologicalOrder(graph)) {
    const node = graph.nodes.find((each) => each.id === id)
    if (node === undefined) continue
    for (const [port, rows] of Object.entries(carryOutNode(node))) relations.set(`${id}.${port}`, rows)
  }
  return relations
}
