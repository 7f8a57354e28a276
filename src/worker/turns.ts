/** Does one piece of work under a key after the other; under different keys they go on beside each other. */
export const createTurns = <K>() => {
  const last = new Map<K, Promise<void>>()
  return <T>(key: K, work: () => Promise<T>): Promise<T> => {
    const before = last.get(key)
    const result = (async () => {
      await before
      return work()
    })()
    const forget = (): void => {
      if (last.get(key) === ended) last.delete(key)
    }
    const ended: Promise<void> = result.then(forget, forget)
    last.set(key, ended)
    return result
  }
}
