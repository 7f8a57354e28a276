const PREFIX = 'port:'

/**
 * A port's handle on the canvas. Vue Flow makes a class of a handle's id: the bare names `left` and `right` would meet
 * its own classes for the sides of a node, and a space would make two.
 */
export const handleOf = (port: string): string => PREFIX + encodeURIComponent(port)

export const portOf = (handle: string): string => decodeURIComponent(handle.slice(PREFIX.length))
