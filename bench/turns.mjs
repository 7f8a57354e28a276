/** Takes turns: in each round every peer once, so that whatever else the machine does touches all of them alike. */

export const median = (list) => list.toSorted((left, right) => left - right)[Math.floor(list.length / 2)]

export const percentile = (list, share) =>
  list.toSorted((left, right) => left - right)[Math.min(list.length - 1, Math.ceil(list.length * share) - 1)]

/** The first line of what was thrown, without the driver's own words before it. */
export const reasonOf = (thrown) =>
  String(thrown?.message ?? thrown)
    .split('\n')[0]
    .replace(/^page\.evaluate: (Error: )?/, '')

export const say = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`)

/**
 * Opens each peer, gives it its turns, and closes it; one that fails is left out from then on and keeps its reason.
 *
 * @param open opens a peer: `{ close() }` and whatever `turn` uses
 * @param turn one turn; its answer is kept
 * @param after what is still looked at when all turns are over
 * @returns by peer's id: `{ turns, error? }`
 */
export const takeTurns = async ({ title, peers, rounds, open, turn, after }) => {
  say(title)
  const opened = new Map()
  const results = new Map(peers.map(({ id }) => [id, { turns: [] }]))
  const attempt = async (peer, work) => {
    const result = results.get(peer.id)
    if (result.error !== undefined) return undefined
    try {
      return await work(result)
    } catch (thrown) {
      result.error = reasonOf(thrown)
      say(`${title}: ${peer.name} FAILED: ${result.error}`)
      return undefined
    }
  }
  for (const peer of peers)
    await attempt(peer, async () => {
      opened.set(peer.id, await open(peer))
    })
  for (let round = 0; round < rounds; round += 1)
    for (const peer of peers)
      await attempt(peer, async ({ turns }) => {
        turns.push(await turn(opened.get(peer.id), round, peer))
      })
  for (const peer of peers) {
    if (after !== undefined) await attempt(peer, ({ turns }) => after(opened.get(peer.id), turns, peer))
    await opened
      .get(peer.id)
      ?.close()
      .catch(() => undefined)
  }
  return results
}
