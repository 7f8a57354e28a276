import { FlowForgeError } from '../../worker/api.ts'
import { CatalogContent } from '../../workflow/catalog/content.ts'

/** What a form holds as an item's content. @throws FlowForgeError `INVALID_INPUT` that says which field is unfinished */
export const toContent = (form: unknown): CatalogContent => {
  const parsed = CatalogContent.safeParse(form)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = (issue?.path ?? []).slice(1).map(String).join(', ')
  throw new FlowForgeError('INVALID_INPUT', `Not finished yet: ${place}: ${issue?.message ?? ''}.`, {
    issues: parsed.error.issues
  })
}
