export { asAbortSignal, type Cancellation, type CancellationListener } from './cancellation.ts';
export {
  BodyError,
  type BodyErrorCode,
  type BodySource,
  type ExchangeField,
  type RoleHandler,
  type RoleRequest,
  type RoleResponse,
} from './exchange.ts';
