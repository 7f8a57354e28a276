import type { Position } from '../graph/layout.ts'

export type ArrowKey = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown'
export const isArrowKey = (key: string): key is ArrowKey =>
  key === 'ArrowLeft' || key === 'ArrowRight' || key === 'ArrowUp' || key === 'ArrowDown'

const directions: Readonly<Record<ArrowKey, Position>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 }
}

/** A place moved by some pixels the way an arrow points. */
export const moved = (place: Position, key: ArrowKey, by: number): Position => ({
  x: place.x + directions[key].x * by,
  y: place.y + directions[key].y * by
})

/** The node that an arrow leads to: the nearest one that way, where going astray counts double. */
export const neighbour = (
  positions: ReadonlyMap<string, Position>,
  from: string,
  key: ArrowKey
): string | null => {
  const start = positions.get(from)
  if (start === undefined) return null
  const way = directions[key]
  const candidates = [...positions].flatMap(([id, place]) => {
    const dx = place.x - start.x
    const dy = place.y - start.y
    const ahead = dx * way.x + dy * way.y
    const astray = Math.abs(dx * way.y) + Math.abs(dy * way.x)
    return id === from || ahead <= 0 ? [] : [{ id, cost: ahead + astray * 2 }]
  })
  return candidates.toSorted((a, b) => a.cost - b.cost)[0]?.id ?? null
}
