export { asAbortSignal, type Cancellation, type CancellationListener } from './cancellation.ts';
export {
  BodyError,
  type BodyErrorCode,
  type BodySource,
  cancellationOf,
  type ExchangeField,
  type RoleHandler,
  type RoleRequest,
  type RoleResponse,
} from './exchange.ts';
