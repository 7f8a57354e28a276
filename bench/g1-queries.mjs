/**
 * The questions of db-benchmark: ten groupings of `x` and five joins of `j` with `small`, `medium` and `big`. Plain data,
 * handed to the pages as it is. `check`: columns of the answer whose sum every engine must agree on; `keys` and `values`
 * are what engines without SQL are told.
 */
const grouping = (id, title, keys, columns, check) => ({
  id,
  title,
  keys,
  columns,
  check: check ?? Object.keys(columns),
  sql: `SELECT ${[...keys, ...Object.entries(columns).map(([name, text]) => `${text} AS ${name}`)].join(', ')} FROM x GROUP BY ${keys.join(', ')}`,
  steps: [{ op: 'aggregate', groupBy: keys, columns }]
})

const LARGEST = (from) =>
  `SELECT id6, v3 FROM (SELECT id6, v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS place FROM ${from}) WHERE place <= 2`

export const GROUPINGS = [
  grouping('q1', 'sum v1 by id1', ['id1'], { v1: 'sum(v1)' }),
  grouping('q2', 'sum v1 by id1:id2', ['id1', 'id2'], { v1: 'sum(v1)' }),
  grouping('q3', 'sum v1, mean v3 by id3', ['id3'], { v1: 'sum(v1)', v3: 'avg(v3)' }),
  grouping('q4', 'mean v1:v3 by id4', ['id4'], { v1: 'avg(v1)', v2: 'avg(v2)', v3: 'avg(v3)' }),
  grouping('q5', 'sum v1:v3 by id6', ['id6'], { v1: 'sum(v1)', v2: 'sum(v2)', v3: 'sum(v3)' }),
  grouping('q6', 'median v3, sd v3 by id4 id5', ['id4', 'id5'], { middle: 'median(v3)', sd: 'stddev(v3)' }),
  grouping('q7', 'max v1 - min v2 by id3', ['id3'], { span: 'max(v1) - min(v2)' }),
  {
    id: 'q8',
    title: 'largest two v3 by id6',
    keys: ['id6'],
    check: ['v3'],
    sql: LARGEST('x'),
    steps: [{ op: 'sql', query: LARGEST('input') }]
  },
  grouping('q9', 'regression v1 v2 by id2 id4', ['id2', 'id4'], { r2: 'pow(corr(v1, v2), 2)' }),
  grouping('q10', 'sum v3, count by id1:id6', ['id1', 'id2', 'id3', 'id4', 'id5', 'id6'], {
    v3: 'sum(v3)',
    n: 'count(*)'
  })
]

/** The columns that the other tables share with `j`; both sides' are in the answer, as a join of FlowForge has them. */
const SHARED = { small: ['id1', 'id4'], medium: ['id2', 'id5'], big: ['id3', 'id6'] }

const joining = (id, title, other, type, key) => ({
  id,
  title,
  with: other,
  type,
  key,
  check: ['v1', 'v2'],
  sql: `SELECT l.*, ${SHARED[other].map((name) => `r.${name} AS ${name}_right, `).join('')}r.v2 FROM j AS l ${type.toUpperCase()} JOIN ${other} AS r ON l.${key} = r.${key}`
})

export const JOINS = [
  joining('j1', 'small inner on integer', 'small', 'inner', 'id1'),
  joining('j2', 'medium inner on integer', 'medium', 'inner', 'id2'),
  joining('j3', 'medium left on integer', 'medium', 'left', 'id2'),
  joining('j4', 'medium inner on text', 'medium', 'inner', 'id5'),
  joining('j5', 'big inner on integer', 'big', 'inner', 'id3')
]

export const QUESTIONS = [...GROUPINGS, ...JOINS]
/** The tables, in the order in which pages are given their files. */
export const TABLES = ['x', 'j', 'small', 'medium', 'big']
