import type { Paging } from '../../workflow/data-source/web-request.ts'
import { follow } from '../../workflow/http/json-pointer.ts'
import { toText } from '../engine/value-text.ts'
import { nextLink } from './link-header.ts'

/** What a page says of those behind it. */
export type PageFacts = {
  readonly url: string
  /** From 1. */
  readonly number: number
  readonly rows: number
  readonly link: string | null
  /** The answer, where it is JSON. */
  readonly value: unknown
}

const withParameter = (url: string, name: string, value: string): string => {
  const changed = new URL(url)
  changed.searchParams.set(name, value)
  return changed.href
}

/** The address of the first page. */
export const firstPage = (url: string, paging: Paging): string =>
  paging.type === 'page' ? withParameter(url, paging.parameter, String(paging.first)) : new URL(url).href

/** The address of the page behind this one; null where there is none. */
export const nextPage = (start: string, paging: Paging, page: PageFacts): string | null => {
  switch (paging.type) {
    case 'none':
      return null
    case 'link-header': {
      const target = nextLink(page.link)
      if (target === null || !URL.canParse(target, page.url)) return target
      return new URL(target, page.url).href
    }
    case 'cursor': {
      const cursor = follow(page.value, paging.pointer)
      const ends = cursor === undefined || cursor === null || cursor === '' || cursor === false
      return ends ? null : withParameter(start, paging.parameter, toText(cursor))
    }
    case 'page':
      return page.rows === 0
        ? null
        : withParameter(start, paging.parameter, String(paging.first + page.number))
  }
}
