/** What FlowForge promises, and whether this run showed it. */
import { QUESTIONS } from './g1-queries.mjs'
import { BROWSER_PEERS } from './peers.mjs'
import { median } from './turns.mjs'

const BY_HAND = 'DuckDB-WASM by hand'

const sectionOf = (sections, id) => sections.find((section) => section.id === id)

const valueOf = (sections, id, who) => {
  const row = sectionOf(sections, id)?.rows.find((each) => (each.peer?.id ?? each.label) === who)
  return row === undefined || row.error !== undefined || row.values.length === 0
    ? undefined
    : median(row.values)
}

const judge = (text, found, limit, isMet) => ({
  text,
  found: found === undefined ? 'not measured' : found,
  isMet: found === undefined || limit === undefined ? undefined : isMet
})

const ratio = (sections, id, who, text, limit, isAtLeast, we = 'flowforge') => {
  const [ours, theirs] = [valueOf(sections, id, we), valueOf(sections, id, who)]
  if (ours === undefined || theirs === undefined) return judge(text, undefined)
  const times = ours / theirs
  return judge(text, `${times.toFixed(3)} ×`, limit, isAtLeast ? times >= limit : times <= limit)
}

const value = (sections, id, who, text, limit, unit, isAtLeast) => {
  const found = valueOf(sections, id, who)
  if (found === undefined) return judge(text, undefined)
  return judge(text, `${found.toFixed(0)} ${unit}`, limit, isAtLeast ? found >= limit : found <= limit)
}

/** Figures that are closer than this are level: turns of one engine differ by more, and a frame's length does. */
const LEVEL = 1.01

/** First among the browser's durable peers. The raw engine is the measure of other targets, not a peer; one that failed is left out. */
const first = (sections, id) => {
  const section = sectionOf(sections, id)
  if (section === undefined) return judge(`First of the durable browser peers: ${id}`, undefined)
  const text = `First of the durable browser peers: ${section.title}`
  const rivals = BROWSER_PEERS.filter((peer) => !['flowforge', 'raw'].includes(peer.id) && peer.isDurable)
  const places = [{ id: 'flowforge', name: 'FlowForge' }, ...rivals]
    .map((peer) => ({ peer, found: valueOf(sections, id, peer.id) }))
    .filter(({ found }) => found !== undefined)
    .toSorted((left, right) => (section.isHigherBetter ? right.found - left.found : left.found - right.found))
  if (valueOf(sections, id, 'flowforge') === undefined) return judge(text, undefined)
  const ours = valueOf(sections, id, 'flowforge')
  const at = places.findIndex(({ peer }) => peer.id === 'flowforge')
  const isLevel = ({ found }) => Math.max(found / ours, ours / found) < LEVEL
  const namesOf = (some) => some.map(({ peer }) => peer.name).join(', ')
  const ahead = places.slice(0, at)
  const before = ahead.filter((place) => !isLevel(place))
  if (before.length > 0) return judge(text, `after ${namesOf(before)}`, true, false)
  return judge(text, ahead.length === 0 ? 'first' : `first, level with ${namesOf(ahead)}`, true, true)
}

/** The worst log against the shortest one. */
const flat = (sections, id, text, limit) => {
  const section = sectionOf(sections, id)
  const medians = section?.rows.filter(({ error, values }) => error === undefined && values.length > 0)
  if (medians === undefined || medians.length < 2) return judge(text, undefined)
  const values = medians.map((row) => median(row.values))
  const [shortest] = values
  const worst = section.isHigherBetter ? shortest / Math.min(...values) : Math.max(...values) / shortest
  return judge(text, `${worst.toFixed(3)} × slower at the worst`, limit, worst <= limit)
}

/** The highest of a section's figures. */
const highestOf = (sections, id, text, limit, unit) => {
  const values = sectionOf(sections, id)?.rows.map((row) => median(row.values)) ?? []
  if (values.length === 0) return judge(text, undefined)
  const highest = Math.max(...values)
  return judge(text, `${highest.toFixed(highest < 10 ? 1 : 0)} ${unit}`, limit, highest <= limit)
}

/** Of the questions of db-benchmark: FlowForge's medians, or those of `we`, against those of somebody else. */
const ratiosTo = (sections, who, we = 'FlowForge') =>
  QUESTIONS.flatMap(({ id }) => {
    const [ours, theirs] = [valueOf(sections, `g1-${id}`, we), valueOf(sections, `g1-${id}`, who)]
    return ours === undefined || theirs === undefined ? [] : [{ id, times: ours / theirs }]
  })

const judgeQuestions = (sections) => {
  const ratios = ratiosTo(sections, BY_HAND)
  const texts = [
    'db-benchmark, median of the fifteen ≤ 1.15 × DuckDB-WASM by hand',
    'db-benchmark, the worst of the fifteen ≤ 1.4 × DuckDB-WASM by hand'
  ]
  if (ratios.length === 0) return texts.map((text) => judge(text, undefined))
  const middle = median(ratios.map(({ times }) => times))
  const [worst] = ratios.toSorted((left, right) => right.times - left.times)
  const others = sectionOf(sections, 'g1-q1').rows.map(({ label }) => label)
  return [
    judge(texts[0], `${middle.toFixed(3)} ×`, 1.15, middle <= 1.15),
    judge(texts[1], `${worst.times.toFixed(3)} × (${worst.id})`, 1.4, worst.times <= 1.4),
    ...others
      .filter((label) => label !== 'FlowForge' && label !== BY_HAND)
      .map((label) => {
        const text = `db-benchmark, at least 5 × faster than ${label}, median of what it answered`
        const answered = ratiosTo(sections, label)
        if (answered.length === 0) return judge(text, 'it answered nothing')
        const faster = median(answered.map(({ times }) => 1 / times))
        // What the engine alone would be: nobody who computes with it can be faster than that.
        const atMost = median(ratiosTo(sections, label, BY_HAND).map(({ times }) => 1 / times))
        return judge(
          text,
          `${faster.toFixed(1)} × (${answered.length} of ${QUESTIONS.length}; ${BY_HAND}: ${atMost.toFixed(1)} ×)`,
          5,
          faster >= 5
        )
      })
  ]
}

/** @returns each target: what it says, what was found, and `isMet`, undefined where it was not measured */
export const judgeTargets = (sections, { logs }) => {
  const [least, , most] = logs
  const openAt = (count) => valueOf(sections, `open-${count}`, 'flowforge')
  const opens =
    openAt(least) === undefined || openAt(most) === undefined ? undefined : openAt(most) / openAt(least)
  const openText = `Open of ${most.toLocaleString('en')} events ≤ 2 × open of ${least.toLocaleString('en')}`
  return [
    ratio(sections, 'awaited', 'raw', 'Appends, each awaited, ≥ 0.7 × raw', 0.7, true),
    ratio(sections, 'at-once', 'raw', 'Appends at once ≥ 7 × raw, one a transaction', 7, true),
    ratio(sections, 'load-long', 'raw', 'Load of a long stream ≤ 1.5 × raw bytes', 1.5, false),
    value(sections, 'rebuild', 'flowforge', 'Rebuild ≥ 50,000 events/s', 50_000, 'events/s', true),
    opens === undefined
      ? judge(openText, undefined)
      : judge(openText, `${opens.toFixed(3)} ×`, 2, opens <= 2),
    flat(
      sections,
      'growth-append',
      'Appends, each awaited, do not slow down as the log grows (≤ 1.25 ×)',
      1.25
    ),
    flat(sections, 'growth-at-once', 'Appends at once do not slow down as the log grows (≤ 1.25 ×)', 1.25),
    flat(sections, 'growth-load', 'Loads do not slow down as the log grows (≤ 1.25 ×)', 1.25),
    value(sections, 'fail-over', 'p95', 'Fail-over, p95, ≤ 500 ms', 500, 'ms', false),
    value(
      sections,
      'heard',
      'flowforge',
      '1,000 appends seen in another tab within 250 ms',
      250,
      'ms',
      false
    ),
    highestOf(
      sections,
      'replica-delay',
      'A query of 1,000,000 rows on a replica delays an append by ≤ 5 ms at p95',
      5,
      'ms'
    ),
    value(sections, 'gigabyte-memory', 'page heap', 'A CSV of 1 GB: page heap < 200 MB', 200, 'MB', false),
    value(
      sections,
      'gigabyte-memory',
      'engine',
      'A CSV of 1 GB: WebAssembly memory < 1.5 GB',
      1_500,
      'MB',
      false
    ),
    highestOf(sections, 'gigabyte-progress', 'A CSV of 1 GB: something moves every two seconds', 2_000, 'ms'),
    highestOf(sections, 'gigabyte-cancel', 'A CSV of 1 GB: canceled within a second', 1_000, 'ms'),
    ...[
      'awaited',
      'at-once',
      'batch',
      'load-short',
      'load-long',
      'screen',
      `open-${least}`,
      `open-${logs[1]}`
    ].map((id) => first(sections, id)),
    ...judgeQuestions(sections),
    ratio(
      sections,
      'flights-run',
      BY_HAND,
      'Three million flights joined with airports < 2 × DuckDB-WASM by hand',
      2,
      false,
      'FlowForge'
    ),
    ratio(
      sections,
      'row-ids',
      'without',
      'A run that keeps row ids ≤ 1.15 × the same without',
      1.15,
      false,
      'row ids kept'
    )
  ]
}
