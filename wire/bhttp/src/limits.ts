/** What a decoder is willing to hold. Content is not limited here: whoever supplies the bytes limits them. */
export interface DecodeLimits {
  /** Encoded bytes of one header or trailer section. */
  readonly maxFieldSectionBytes: number;
  /** Field lines of one header or trailer section. */
  readonly maxFields: number;
  /** Informational responses before the final one. */
  readonly maxInformational: number;
  /** Encoded bytes of method, scheme, authority and path together. */
  readonly maxControlBytes: number;
}

/** Generous for real traffic, far below what could hurt a process. */
export const DEFAULT_DECODE_LIMITS: DecodeLimits = {
  maxFieldSectionBytes: 65_536,
  maxFields: 1000,
  maxInformational: 32,
  maxControlBytes: 16_384,
};

/** The defaults with what the caller chose. */
export function withDefaults(limits: Partial<DecodeLimits> | undefined): DecodeLimits {
  return limits === undefined ? DEFAULT_DECODE_LIMITS : { ...DEFAULT_DECODE_LIMITS, ...limits };
}
