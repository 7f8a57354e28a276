/** What an engine has read of its files since it started, and who wants to know. */
export type FileReads = {
  /** Calls back with the bytes that were read since, a few times a second while files are read. Answers with its end. */
  follow(listener: (bytes: number) => void): () => void
}

/** `port` is told all bytes that were read, and now and then. */
export const createFileReads = (port: MessagePort): FileReads => {
  const listeners = new Set<(bytes: number) => void>()
  let total = 0
  port.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    total = Number(data)
    for (const listener of listeners) listener(total)
  })
  port.start()
  return {
    follow: (listener) => {
      const before = total
      const heard = (now: number): void => listener(now - before)
      listeners.add(heard)
      return () => void listeners.delete(heard)
    }
  }
}
