/**
 * A field line: name, then value. Decoders give lower-case names; encoders accept either case and write lower case.
 * Values are byte strings: every character is at most U+00FF and stands for one byte, as in `Headers` of Fetch and in
 * node:http. Order and repetition are kept. RFC 9292 §3.6.
 */
export type Field = readonly [name: string, value: string];
