/** A message and its encoding, under one name: `KeyConfig.decode(bytes)`. */
export interface Codec<T> {
  /** IANA media type, where the message has one. */
  readonly mediaType?: string;
  /** Never fails on a value the type allows. */
  encode(value: T): Uint8Array;
  /**
   * @param bytes - attacker-controlled; the result does not share memory with it unless the codec says so
   * @throws {@link DecodeError}
   */
  decode(bytes: Uint8Array): T;
}
