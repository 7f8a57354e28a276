/**
 * What runs beside each peer: in its page, where `toScript` takes it, or in Node. Functions of their own, which use
 * nothing but each other and the platform. A peer is
 * `{ append(event): id, appendMany(events): ids, load(stream): events, follow?(stream, heard) }`.
 */

/** What `measureAppends` is given once before it counts. */
export const WARM_UP = { awaited: 20, atOnce: 50, batch: 500 }

export const eventOf = (stream, index) => ({
  aggregateId: stream,
  eventType: 'Measured',
  payload: {
    index,
    name: `event ${index}`,
    amounts: [index, index * 2],
    note: 'a payload of ordinary size'
  }
})

export const eventsOf = (stream, count, from = 0) =>
  Array.from({ length: count }, (_, index) => eventOf(stream, from + index))

/** In ms. */
export const timeOf = async (work) => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** Throws unless a stream is just what was appended: the count, the ids in order, seq without a gap, a payload's field. */
export const checkStream = (stream, loaded, ids) => {
  if (loaded.length !== ids.length)
    throw new Error(`${stream} holds ${loaded.length} events, not ${ids.length}`)
  for (const [index, event] of loaded.entries()) {
    if (event.id !== ids[index])
      throw new Error(`${stream}: event ${index} is ${event.id}, not ${ids[index]}`)
    if (event.seq !== index + 1) throw new Error(`${stream}: event ${index} has seq ${event.seq}`)
    if (event.payload.index !== index || event.payload.amounts[1] !== index * 2)
      throw new Error(`${stream}: event ${index} came back as ${JSON.stringify(event.payload)}`)
  }
}

/** One number for a stream's ids in their order (FNV-1a), to compare it with what a reopened database holds. */
export const digestOf = (ids) => {
  let hash = 0x811c9dc5
  for (const letter of ids.join()) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0
  return hash
}

const remember = (stream, ids) => ({ stream, count: ids.length, digest: digestOf(ids) })

/** A turn of all appends: each awaited, many at once, a batch. Times in ms; `written` is for `checkReopened`. */
export const measureAppends = async (peer, { turn, awaited, atOnce, batch }) => {
  const [one, many, whole] = ['awaited', 'at-once', 'batch'].map((kind) => `bench:${kind}-${turn}`)
  const ids = { [one]: [], [many]: [], [whole]: [] }
  const singles = eventsOf(one, awaited)
  const waiting = eventsOf(many, atOnce)
  const together = eventsOf(whole, batch)
  const times = {
    awaited: await timeOf(async () => {
      for (const event of singles) ids[one].push(await peer.append(event))
    }),
    atOnce: await timeOf(async () => {
      ids[many] = await Promise.all(waiting.map((event) => peer.append(event)))
    }),
    batch: await timeOf(async () => {
      ids[whole] = await peer.appendMany(together)
    })
  }
  const asked = { [one]: awaited, [many]: atOnce, [whole]: batch }
  for (const [stream, appended] of Object.entries(ids)) {
    if (appended.length !== asked[stream])
      throw new Error(`${stream}: ${appended.length} of ${asked[stream]} events were answered`)
    if (new Set(appended).size !== appended.length) throw new Error(`${stream}: an id came back twice`)
    checkStream(stream, await peer.load(stream), appended)
  }
  return { times, written: Object.entries(ids).map(([stream, list]) => remember(stream, list)) }
}

/** Writes a stream to be loaded. */
export const writeStream = async (peer, { stream, count }) => {
  const ids = await peer.appendMany(eventsOf(stream, count))
  if (ids.length !== count) throw new Error(`${stream}: ${ids.length} of ${count} events were answered`)
  checkStream(stream, await peer.load(stream), ids)
  return remember(stream, ids)
}

/** In ms, the mean of `repeats` loads; what came is looked at after the clock. */
export const measureLoad = async (peer, { stream, count, digest, repeats }) => {
  let loaded = []
  const time = await timeOf(async () => {
    for (let turn = 0; turn < repeats; turn += 1) loaded = await peer.load(stream)
  })
  const ids = loaded.map(({ id }) => id)
  checkStream(stream, loaded, ids)
  if (ids.length !== count || digestOf(ids) !== digest)
    throw new Error(`${stream} came back otherwise than it was written`)
  return time / repeats
}

/** After the page and its worker were closed and opened again: every stream is there as it was acknowledged. */
export const checkReopened = async (peer, { written }) => {
  for (const { stream, count, digest } of written) {
    const loaded = await peer.load(stream)
    const ids = loaded.map(({ id }) => id)
    checkStream(stream, loaded, ids)
    if (ids.length !== count || digestOf(ids) !== digest)
      throw new Error(`${stream} is not what was acknowledged before the page was closed`)
  }
}

/** Appends `count` events in batches, to streams of 1,000, beginning with event number `from` of the log. */
export const fill = async (peer, { count, from = 0, size = 10_000 }) => {
  for (let done = 0; done < count; done += size) {
    const events = Array.from({ length: Math.min(size, count - done) }, (_, index) => {
      const number = from + done + index
      return eventOf(`filled:${Math.floor(number / 1_000)}`, number % 1_000)
    })
    const ids = await peer.appendMany(events)
    if (ids.length !== events.length)
      throw new Error(`${ids.length} of ${events.length} events were appended`)
  }
}

/** The filled stream of a number: whole, in order. */
export const checkFilled = async (peer, { stream, count }) => {
  const loaded = await peer.load(stream)
  checkStream(
    stream,
    loaded,
    loaded.map(({ id }) => id)
  )
  if (loaded.length !== count) throw new Error(`${stream} holds ${loaded.length} events, not ${count}`)
}

export const KIT = {
  eventOf,
  eventsOf,
  timeOf,
  checkStream,
  digestOf,
  remember,
  measureAppends,
  writeStream,
  measureLoad,
  checkReopened,
  fill,
  checkFilled
}

/** The functions above as a script that puts them on a page, as `bench`. */
export const toScript = () =>
  `window.bench = (() => {
${Object.entries(KIT)
  .map(([name, work]) => `const ${name} = ${String(work)};`)
  .join('\n')}
return { ${Object.keys(KIT).join(', ')} }
})()`
