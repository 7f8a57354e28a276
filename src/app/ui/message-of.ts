/** The words for a person in whatever was thrown or answered as an error. */
export const messageOf = (error: unknown): string => {
  if (typeof error === 'string') return error
  if (
    typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    typeof error.message === 'string'
  ) {
    return error.message
  }
  return String(error)
}
