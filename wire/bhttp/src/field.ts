/**
 * A field line: lower-case name, then value. Values are byte strings: every character is at most U+00FF and stands for one
 * byte, as in `Headers` of Fetch and in node:http. Order and repetition are kept.
 */
export type Field = readonly [name: string, value: string];
