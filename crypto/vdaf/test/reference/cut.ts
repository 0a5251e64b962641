/** Cutting of lists and byte strings. */

/** Pieces of these lengths, from the front. */
export function cut<List extends { slice(start: number, end: number): List }>(
  list: List,
  lengths: readonly number[],
): List[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return list.slice(at - length, at);
  });
}
