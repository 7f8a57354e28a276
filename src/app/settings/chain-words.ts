import type { ChainFinding } from '../../worker/api.ts'
import { formatCount } from '../ui/format.ts'

/** What a check of the hash chain found, in a sentence. */
export const wordsOfFinding = (finding: ChainFinding): string => {
  const seal = `the seal that ends at event ${formatCount(finding.sealedUpTo)}`
  switch (finding.kind) {
    case 'changed-event':
      return `Event ${formatCount(finding.position)} (${finding.eventId}) is not the one that was sealed.`
    case 'inserted-event':
      return `Event ${formatCount(finding.position)} (${finding.eventId}) was put in later.`
    case 'missing-event':
      return finding.before === null
        ? `What followed event ${formatCount(finding.after)} is missing.`
        : `An event between ${formatCount(finding.after)} and ${formatCount(finding.before)} is missing.`
    case 'changed-seal':
      return `The hashes themselves were changed, in ${seal}.`
    case 'broken-link':
      return `The chain is broken before ${seal}: a seal was exchanged or taken out.`
    case 'unreadable':
      return `The events of ${seal} cannot be read: ${finding.message}`
  }
}
