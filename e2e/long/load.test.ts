/** Ten minutes of load; PRIVACY_EDGE_LOAD_MINUTES for another length. */
import '../load.test.ts';
