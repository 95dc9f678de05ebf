/** What tests of applications, of stores and of adapters need. */

export type { AdapterCheck } from './adapter-bench.ts';
export { adapterChecks, adapterConformance, runAdapterCheck } from './adapter-conformance.ts';
export {
  type AdapterAnswer,
  type AdapterConformanceOptions,
  type AdapterRequest,
  type AdapterServer,
  type AdapterServerOptions,
  GUARDED_PATHS,
  type NodeWay,
} from './adapter-harness.ts';
export {
  readSetCookie,
  sendRequest,
  type TestAnswer,
  TestClient,
  type TestProtocol,
  type TestRequest,
} from './client.ts';
export { createTestClock, type TestClock } from './clock.ts';
export {
  type Fault,
  type FaultPlan,
  type FaultStore,
  faultStore,
  type StoreCall,
  type StoreOperation,
} from './fault-store.ts';
export { type LoginAsOptions, type LoginCookie, loginAs } from './login-as.ts';
export type { SessionsOwner } from './sessions-of.ts';
export { type StoreConformanceOptions, storeChecks, storeConformance } from './store-conformance.ts';
export type { StoreCheck } from './store-samples.ts';
