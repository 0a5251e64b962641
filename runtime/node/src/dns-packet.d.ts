/** The part of dns-packet 5.6 that this package uses; the library ships no types. */
declare module 'dns-packet' {
  interface Question {
    name: string;
    type: string;
    class?: string;
  }
  interface Answer {
    name: string;
    type: string;
    class?: string;
    ttl?: number;
    /** A Buffer for a type the library does not know, named `UNKNOWN_` and its number. */
    data?: unknown;
  }
  interface Packet {
    id?: number;
    type?: 'query' | 'response';
    flags?: number;
    rcode?: string;
    flag_qr?: boolean;
    flag_tc?: boolean;
    questions?: Question[];
    answers?: Answer[];
    authorities?: Answer[];
    additionals?: Answer[];
  }
  export const RECURSION_DESIRED: number;
  export const TRUNCATED_RESPONSE: number;
  export function encode(packet: Packet): Buffer;
  export function decode(bytes: Buffer): Packet;
}
