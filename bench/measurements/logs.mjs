/**
 * Logs of several lengths: how long it takes from a page's load to its first answered call, and whether appends and
 * loads slow down as the log grows. Each length has a profile of its own, filled once; each turn starts its browser anew.
 */
import { join } from 'node:path'
import { withBrowser } from '../browsers.mjs'
import { directoryOf, openPeer } from '../driver.mjs'
import { timeOf, WARM_UP } from '../kit.mjs'
import { openNative } from '../native.mjs'
import { PEERS } from '../peers.mjs'
import { reasonOf, say } from '../turns.mjs'

const DIRECTORY = 'logs'
const STREAM = 'filled:0'
/** So many events are written before the clock of `PATIENCE` starts again. */
const CHUNK = 100_000

/** Runs before the page's own scripts: asks for the first stream as soon as there is somebody to ask. */
const askAtOnce = ({ isApp, directory, stream }) => {
  const name = isApp ? 'db' : 'peer'
  const ask = async (found) => {
    if (!isApp) await found.open(directory, { isLive: false })
    const events = isApp ? await found.loadEvents({ aggregateId: stream }) : await found.load(stream)
    // Since the navigation began.
    return { time: performance.now(), count: events.length, last: events.at(-1)?.payload.index }
  }
  window.firstAnswer = new Promise((resolve, reject) => {
    Object.defineProperty(window, name, {
      configurable: true,
      set: (found) => {
        Object.defineProperty(window, name, { value: found, configurable: true, writable: true })
        queueMicrotask(() => ask(found).then(resolve, reject))
      }
    })
  })
}

const timeNative = async (place, file) => {
  let events = []
  let close = () => undefined
  const time = await timeOf(async () => {
    const native = openNative(file)
    close = native.close
    events = await native.peer.load(STREAM)
  })
  close()
  return { time, count: events.length, last: events.at(-1)?.payload.index }
}

/** In ms. */
const timeOpen = async (peer, place, browser, count) => {
  const expected = Math.min(count, 1_000)
  const answer = await (async () => {
    if (peer.server === null) return timeNative(place, join(place.folder, `${DIRECTORY}-${count}.db`))
    const page = await browser.newPage()
    try {
      const isApp = peer.server === 'app'
      await page.addInitScript(askAtOnce, { isApp, directory: directoryOf(peer, DIRECTORY), stream: STREAM })
      await page.goto(isApp ? place.urls.app : `${place.urls[peer.server]}?peer=${peer.id}`)
      return await page.evaluate(() =>
        Promise.race([
          window.firstAnswer,
          new Promise((_, reject) => setTimeout(() => reject(new Error('no answer within 60 s')), 60_000))
        ])
      )
    } finally {
      await page.close()
    }
  })()
  if (answer.count !== expected || answer.last !== expected - 1)
    throw new Error(`${STREAM} came back as ${answer.count} events, not ${expected}`)
  return answer.time
}

const fillPeer = async (peer, place, browser, count) => {
  const directory = peer.server === null ? `${DIRECTORY}-${count}` : DIRECTORY
  const opened = await openPeer(peer, { ...place, browser, directory })
  try {
    for (let from = 0; from < count; from += CHUNK)
      await opened.run('fill', { from, count: Math.min(CHUNK, count - from) })
    for (const number of new Set([0, Math.ceil(count / 1_000) - 1]))
      await opened.run('checkFilled', { stream: `filled:${number}`, count: Math.min(1_000, count) })
  } finally {
    await opened.close()
  }
}

/** FlowForge's appends and loads in a log of some length. */
const grow = async (place, browser, turn) => {
  const { awaited, atOnce, logs } = place.sizes
  const opened = await openPeer(PEERS[0], { ...place, browser, directory: DIRECTORY })
  try {
    const stream = `grown:${turn}`
    const remembered = await opened.run('writeStream', { stream, count: Math.min(1_000, logs[0]) })
    await opened.run('measureAppends', { turn: `warm-up-${turn}`, ...WARM_UP })
    const { times } = await opened.run('measureAppends', { turn, awaited, atOnce, batch: 1 })
    const load = await opened.run('measureLoad', { ...remembered, repeats: 10 })
    return { awaited: (awaited / times.awaited) * 1_000, atOnce: (atOnce / times.atOnce) * 1_000, load }
  } finally {
    await opened.close()
  }
}

export const measure = async (place) => {
  const { logs } = place.sizes
  const asked = place.peers
  const opens = new Map(logs.map((count) => [count, new Map(asked.map((peer) => [peer, { values: [] }]))]))
  const grown = new Map(logs.map((count) => [count, { turns: [] }]))
  const isFilled = (peer, count) => count <= peer.fillLimit
  const attempt = async (what, result, work) => {
    if (result.error !== undefined) return
    try {
      await work()
    } catch (thrown) {
      result.error = reasonOf(thrown)
      say(`${what} FAILED: ${result.error}`)
    }
  }
  for (const count of logs)
    await withBrowser(place, `log-${count}`, async (browser) => {
      for (const [peer, result] of opens.get(count)) {
        if (!isFilled(peer, count)) continue
        const took = await timeOf(() =>
          attempt(`filling ${peer.name}`, result, () => fillPeer(peer, place, browser, count))
        )
        say(`logs: ${peer.name} filled with ${count} events in ${(took / 1_000).toFixed(0)} s`)
      }
    })
  for (let turn = 0; turn < place.rounds; turn += 1)
    for (const count of logs)
      await withBrowser(place, `log-${count}`, async (browser) => {
        for (const [peer, result] of opens.get(count))
          if (isFilled(peer, count))
            await attempt(`opening ${peer.name} of ${count}`, result, async () => {
              result.values.push(await timeOpen(peer, place, browser, count))
            })
        if (!asked.includes(PEERS[0])) return
        const result = grown.get(count)
        await attempt(`growth at ${count}`, result, async () => {
          result.turns.push(await grow(place, browser, turn))
        })
      })
  const openSection = (count) => ({
    id: `open-${count}`,
    title: `Open with ${count.toLocaleString('en')} events in the log`,
    unit: 'ms',
    isHigherBetter: false,
    rows: asked.map((peer) => {
      const note = isFilled(peer, count)
        ? undefined
        : `not filled beyond ${peer.fillLimit} events: it takes too long`
      return { peer, note, ...opens.get(count).get(peer) }
    }),
    notes: [
      'From the start of the page’s load to the first stream’s events, in a browser that was just started. FlowForge loads its whole app, a peer a bare page; better-sqlite3 has no page to load.'
    ]
  })
  const growthSection = (id, title, unit, isHigherBetter, key) => ({
    id,
    title,
    unit,
    isHigherBetter,
    baseline: `${logs[0].toLocaleString('en')} events`,
    rows: logs.map((count) => {
      const { turns, error } = grown.get(count)
      return { label: `${count.toLocaleString('en')} events`, error, values: turns.map((each) => each[key]) }
    })
  })
  return [
    ...logs.map(openSection),
    ...(asked.includes(PEERS[0])
      ? [
          growthSection(
            'growth-append',
            'FlowForge’s appends as the log grows, each awaited',
            'events/s',
            true,
            'awaited'
          ),
          growthSection(
            'growth-at-once',
            'FlowForge’s appends as the log grows, at once',
            'events/s',
            true,
            'atOnce'
          ),
          growthSection(
            'growth-load',
            'FlowForge’s load of 1,000 events as the log grows',
            'ms',
            false,
            'load'
          )
        ]
      : [])
  ]
}
