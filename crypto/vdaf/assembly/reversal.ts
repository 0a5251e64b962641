/** The index with its `log` bits in reverse. */
export function reversed(index: u32, log: i32): u32 {
  let i = ((index >> 1) & 0x55555555) | ((index & 0x55555555) << 1);
  i = ((i >> 2) & 0x33333333) | ((i & 0x33333333) << 2);
  i = ((i >> 4) & 0x0f0f0f0f) | ((i & 0x0f0f0f0f) << 4);
  i = ((i >> 8) & 0x00ff00ff) | ((i & 0x00ff00ff) << 8);
  return rotl<u32>(i, 16) >> (32 - log);
}
