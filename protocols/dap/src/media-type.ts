/** Media types of messages. DAP §9.1. */

/** Values of the `message` parameter. */
export type MessageName =
  | 'hpke-config-list'
  | 'upload-req'
  | 'upload-errors'
  | 'aggregation-job-init-req'
  | 'aggregation-job-resp'
  | 'aggregation-job-continue-req'
  | 'aggregate-share-req'
  | 'aggregate-share'
  | 'collection-job-req'
  | 'collection-job-resp';

/** The media type without its parameters. */
export const MEDIA_TYPE = 'application/ppm-dap';

/**
 * The value of a Content-Type field.
 *
 * @param name - of the message
 * @returns without the optional `version` parameter, which is a hint among drafts only
 * @see DAP §9.1
 */
export function mediaTypeOf(name: MessageName): string {
  return `${MEDIA_TYPE};message=${name}`;
}

/**
 * Which message a Content-Type field announces.
 *
 * @param contentType - a field value; attacker-controlled
 * @returns undefined for anything but this media type with one `message` parameter; other parameters are ignored
 * @see DAP §9.1
 */
export function messageNameOf(contentType: string | undefined): string | undefined {
  const [essence, ...parameters] = (contentType ?? '').split(';');
  if (essence?.trim().toLowerCase() !== MEDIA_TYPE) return undefined;
  let name: string | undefined;
  for (const parameter of parameters) {
    const [key = '', value = ''] = parameter.split('=', 2);
    if (key.trim().toLowerCase() !== 'message') continue;
    if (name !== undefined) return undefined;
    name = value.trim().replace(/^"(.*)"$/, '$1');
  }
  return name;
}
