/** What every engine of the db-benchmark questions shares: files in, times out, and a sum that all must agree on. */
const patiently = async (work) => {
  const started = performance.now()
  const answer = await work()
  return { answer, ms: performance.now() - started }
}

/**
 * @param engine `read(tables, files)` puts the tables at hand; `ask(question)` answers with whatever it calls a result;
 *   `look(result, columns)` answers with `{ rows, sum }` and is not timed; `keep(result)` is timed with the question
 */
export const toPeer = ({ open = async () => undefined, read, ask, look, end = async () => undefined }) => ({
  open,
  load: async (tables) => {
    const files = [...document.querySelector('#files').files]
    return (await patiently(() => read(tables, files))).ms
  },
  ask: async (question) => {
    const { answer, ms } = await patiently(() => ask(question))
    return { ms, ...(await look(answer, question.check)) }
  },
  end
})

/** A cell's part in a sum: what is missing, or no number, counts as nothing. */
export const toSummand = (value) => (Number.isFinite(Number(value ?? 0)) ? Number(value ?? 0) : 0)

/** The sum over columns of rows that are objects. */
export const sumRows = (rows, columns) => {
  let sum = 0
  for (const row of rows) for (const column of columns) sum += toSummand(row[column])
  return sum
}

export const median = (values) => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

export const deviation = (values) => {
  if (values.length < 2) return null
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
}

/** The square of Pearson's coefficient. */
export const squaredCorrelation = (left, right) => {
  const [a, b] = [mean(left), mean(right)]
  let [ab, aa, bb] = [0, 0, 0]
  left.forEach((value, index) => {
    ab += (value - a) * (right[index] - b)
    aa += (value - a) ** 2
    bb += (right[index] - b) ** 2
  })
  return aa === 0 || bb === 0 ? null : ab ** 2 / (aa * bb)
}
