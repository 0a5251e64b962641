/** The system's clock, the only place of the runtime that reads it for the roles. */
import type { Clock } from '@privacy-edge/gateway-roles';

/** Milliseconds since the Unix epoch, from the operating system; it can jump when the operator sets it. */
export const systemClock: Clock = () => Date.now();
