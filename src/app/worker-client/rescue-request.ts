/** Lasts over one reload, in this tab alone. */
const KEY = 'flowforge-rescue-asked'

/** Loads the page anew with its storage left closed, so that it can be rescued. */
export const reloadForRescue = (): void => {
  sessionStorage.setItem(KEY, '1')
  location.reload()
}

/** Was a rescue asked for before this load? Asked once, so that the next load opens the storage again. */
export const takeRescueRequest = (): boolean => {
  try {
    const isAsked = sessionStorage.getItem(KEY) !== null
    sessionStorage.removeItem(KEY)
    return isAsked
  } catch {
    // A browser that refuses this to the page refuses it its storage, too: the worker says so on the screen.
    return false
  }
}
