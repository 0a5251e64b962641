/** What an operator relies on, with many more replacements under traffic. */
import '../operations.test.ts';
