import { describeBlobStore, describeBlobTransactions } from '../contract/blob-store-contract.ts'
import { describeConcurrentAppends } from '../contract/concurrent-appends-contract.ts'
import { describeEventStore } from '../contract/event-store-contract.ts'
import { describeProjectionStore } from '../contract/projection-store-contract.ts'
import { testWorld } from '../contract/store-contract.ts'
import { describeTransactions } from '../contract/transaction-contract.ts'
import { openDbContext } from '../index.ts'

const open = () => openDbContext({ storage: 'memory', ...testWorld() })

describeEventStore('SQLite in memory', open)
describeConcurrentAppends('SQLite in memory', open)
describeProjectionStore('SQLite in memory', open)
describeTransactions('SQLite in memory', open)
describeBlobStore('SQLite in memory', open)
describeBlobTransactions('SQLite in memory', open)
