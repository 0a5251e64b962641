/** Puts a gateway in front of an application that lives in the same process. */
import { type ApplicationHandler, fetchFromApplication } from './application.ts';
import { toFetchHandler } from './fetch-adapter.ts';
import { createGateway } from './gateway.ts';
import type { GatewayConfig } from './gateway-config.ts';
import type { GatewayPorts } from './gateway-ports.ts';

/**
 * Wraps a fetch-style application: encapsulated requests are opened and handed to it, its answers are encapsulated, and every
 * other request reaches it unchanged.
 *
 * The application sees an encapsulated request as one to the origin that the client named, which `config.targets` must allow.
 *
 * @param ports - without `fetchTarget`, which is the application
 */
export function withGateway(
  application: ApplicationHandler,
  ports: Omit<GatewayPorts, 'fetchTarget'>,
  config: GatewayConfig,
): (request: Request) => Promise<Response> {
  const gateway = toFetchHandler(createGateway({ ...ports, fetchTarget: fetchFromApplication(application) }, config));
  return async (request) => {
    const { pathname } = new URL(request.url);
    return pathname === config.gatewayPath || pathname === config.keysPath ? gateway(request) : application(request);
  };
}
