/** The schema of a whole configuration file, and the JSON Schema that editors use. */
import { z } from 'zod';
import { analyticsHelperSchema, analyticsLeaderSchema } from './analytics-schema.ts';
import { gatewaySchema } from './gateway-schema.ts';
import { relaySchema } from './relay-schema.ts';
import type { DeploymentConfig } from './types.ts';

/** Schema of a configuration file. */
export const deploymentSchema: z.ZodType<DeploymentConfig> = z.strictObject({
  gateway: gatewaySchema().optional().describe('The Oblivious HTTP gateway: opens requests and asks targets.'),
  relay: relaySchema().optional().describe('The Oblivious HTTP relay: hides clients from gateways.'),
  analyticsLeader: analyticsLeaderSchema()
    .optional()
    .describe(
      'The leader of private measurements: takes reports, aggregates them with the helper, serves the collector.',
    ),
  analyticsHelper: analyticsHelperSchema()
    .optional()
    .describe('The helper of private measurements: verifies and sums its shares of the reports.'),
});

/** The JSON Schema of a configuration file, as text that ends with a line end. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(deploymentSchema, { io: 'input' });
  const { $schema, ...rest } = schema;
  const document = {
    $schema,
    title: 'privacy-edge configuration',
    description:
      'One file for each deployment; every role reads its own section. Each key can be overridden by the environment: PRIVACY_EDGE_, the path in upper case, words separated by underscores, such as PRIVACY_EDGE_GATEWAY_PORT.',
    ...rest,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
