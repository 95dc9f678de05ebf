/** What tests of applications and of stores need. */

export { createTestClock, type TestClock } from './clock.ts';
export {
  type Fault,
  type FaultPlan,
  type FaultStore,
  faultStore,
  type StoreCall,
  type StoreOperation,
} from './fault-store.ts';
export { type StoreConformanceOptions, storeChecks, storeConformance } from './store-conformance.ts';
export type { StoreCheck } from './store-samples.ts';
