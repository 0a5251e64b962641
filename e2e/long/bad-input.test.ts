/** Bad input with floods that would show a leak of a few bytes a message. */
import '../bad-input.test.ts';
